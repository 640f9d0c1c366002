// Types of options: files, numbers, one of a few words. Numbers are read as Python's int() and float() read decimal
// ones. CLI11 itself reads "010" as octal, turns a number that is too large into the largest one, and rounds a double
// twice. A target is set when its option is typed, and must outlive the command.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace iris {

// target: a text or a std::optional of one.
template <typename Target>
CLI::Option* add_file(CLI::App& command, const std::string& name, Target& target, const std::string& description) {
  return command.add_option(name, target, description)->type_name("FILE");
}

// For Option::transform. Takes only digits, and only numbers from `least` to `most`.
CLI::Validator whole_number(std::int64_t least, std::int64_t most);

// target: an integer or a std::optional of one.
template <typename Target>
CLI::Option* add_whole(CLI::App& command, const std::string& name, Target& target, std::int64_t least,
                       std::int64_t most, const std::string& description) {
  return command.add_option(name, target, description)->transform(whole_number(least, most));
}

// A finite number for which is_wanted is true. wanted: says so in the message: "a finite number above 0". Parsing
// another number throws UsageError.
CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<double>& target,
                        const std::string& description, const std::function<bool(double)>& is_wanted,
                        const char* wanted);

// One of the words, which stand for the values of an Enum. target: an Enum or a std::optional of one.
template <typename Enum, typename Target>
CLI::Option* add_enum(CLI::App& command, const std::string& name, Target& target,
                      const std::vector<std::pair<std::string, Enum>>& words, const std::string& description) {
  std::vector<std::string> choices;
  for (const auto& [word, value] : words) {
    choices.push_back(word);
  }
  const auto set = [&target, words](const std::string& typed) {
    target = std::ranges::find(words, typed, &std::pair<std::string, Enum>::first)->second;
  };
  return command.add_option_function<std::string>(name, set, description)->check(CLI::IsMember(choices));
}

}  // namespace iris
