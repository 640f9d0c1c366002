// Options that take one of a few words.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace iris {

// An option or argument that takes one of the words. set: called with the place of the word that was typed.
CLI::Option* add_choice(CLI::App& command, const std::string& name, const std::vector<std::string>& words,
                        const std::function<void(std::size_t)>& set, const std::string& description);

// The same, whose words stand for the values of an Enum. --help, completions and manual pages show the words; any other
// word is wrong usage. target: an Enum or a std::optional of one. It is set when the option is typed, and must outlive
// the command.
template <typename Enum, typename Target>
CLI::Option* add_enum(CLI::App& command, const std::string& name, Target& target,
                      const std::vector<std::pair<std::string, Enum>>& words, const std::string& description) {
  std::vector<std::string> choices;
  for (const auto& [word, value] : words) {
    choices.push_back(word);
  }
  return add_choice(
      command, name, choices, [&target, words](std::size_t place) { target = words[place].second; }, description);
}

}  // namespace iris
