#include "cli/number_option.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "error.h"
#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

// Without the blank that main puts before a negative number.
std::string typed(const std::string& text) { return text.starts_with(" -") ? text.substr(1) : text; }

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  const auto check = [least, most, range](std::string& text) -> std::string {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_whole || error != std::errc() || value < least || value > most) {
      return "must be a whole number from " + range + ", got " + text::quoted(typed(text));
    }
    text = std::to_string(value);
    return "";
  };
  return {check, "in " + range};
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<double>& number,
                        const std::string& description, const std::function<bool(double)>& is_wanted,
                        const char* wanted) {
  const auto set = [&number, name, is_wanted, wanted](const std::string& text) {
    number = parse_double(text);
    if (!number || !std::isfinite(*number) || !is_wanted(*number)) {
      throw UsageError(name + ": must be " + wanted + ", got " + text::quoted(typed(text)));
    }
  };
  return command.add_option_function<std::string>(name, set, description)->type_name("FLOAT");
}

}  // namespace iris
