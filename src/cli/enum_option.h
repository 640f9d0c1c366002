// Options that take one of a few words.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace iris {

// An option or argument whose words stand for the values of an Enum. --help, completions and manual pages show the
// words; any other word is wrong usage. target: an Enum or a std::optional of one. It is set when the option is typed,
// and must outlive the command.
template <typename Enum, typename Target>
CLI::Option* add_enum(CLI::App& command, const std::string& name, Target& target,
                      const std::vector<std::pair<std::string, Enum>>& words, const std::string& description) {
  std::vector<std::string> choices;
  for (const auto& [word, value] : words) {
    choices.push_back(word);
  }
  const auto set = [&target, words](const std::string& typed) {
    const auto is_typed = [&](const auto& word) { return word.first == typed; };
    target = std::find_if(words.begin(), words.end(), is_typed)->second;
  };
  return command.add_option_function<std::string>(name, set, description)->check(CLI::IsMember(choices));
}

}  // namespace iris
