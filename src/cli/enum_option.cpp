#include "cli/enum_option.h"

#include <algorithm>

namespace iris {

CLI::Option* add_choice(CLI::App& command, const std::string& name, const std::vector<std::string>& words,
                        const std::function<void(std::size_t)>& set, const std::string& description) {
  const auto set_typed = [set, words](const std::string& typed) {
    set(static_cast<std::size_t>(std::find(words.begin(), words.end(), typed) - words.begin()));
  };
  return command.add_option_function<std::string>(name, set_typed, description)->check(CLI::IsMember(words));
}

}  // namespace iris
