#include "cli/option_types.h"

#include <charconv>
#include <cmath>

#include "error.h"
#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

// Without the blank that main puts before a negative number.
std::string quoted_number(const std::string& typed) {
  return text::quoted(typed.starts_with(" -") ? typed.substr(1) : typed);
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  const auto check = [least, most, range](std::string& typed) -> std::string {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(typed.data(), typed.data() + typed.size(), value);
    const bool is_whole = error == std::errc() && end == typed.data() + typed.size() && typed[0] != '-';
    if (!is_whole || value < least || value > most) {
      return "must be a whole number from " + range + ", got " + quoted_number(typed);
    }
    typed = std::to_string(value);
    return "";
  };
  return {check, "in " + range};
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<double>& target,
                        const std::string& description, const std::function<bool(double)>& is_wanted,
                        const char* wanted) {
  const auto set = [&target, name, is_wanted, wanted](const std::string& typed) {
    target = parse_double(typed);
    if (!target || !std::isfinite(*target) || !is_wanted(*target)) {
      throw UsageError(name + ": must be " + wanted + ", got " + quoted_number(typed));
    }
  };
  return command.add_option_function<std::string>(name, set, description)->type_name("FLOAT");
}

}  // namespace iris
