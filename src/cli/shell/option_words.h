// The command line's definitions, as completions and manual pages need them. Hidden verbs and options are left out.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace iris {

struct OptionWords {
  std::vector<std::string> names;    // "-i", "--input"; none: an argument, `value` is its name
  std::string value;                 // "FILE", "UINT"; empty: a flag
  std::vector<std::string> choices;  // the words that it takes; none: any
  std::string limits;                // "in 1 to 1024", or empty
  std::string needs;                 // the option that must be given too, or empty
  std::string description;
  bool is_path = false;
  bool is_directory = false;
  bool is_required = false;
  bool is_many = false;
};

std::vector<OptionWords> options_of(const CLI::App& command);
std::vector<OptionWords> arguments_of(const CLI::App& command);
std::vector<const CLI::App*> verbs_of(const CLI::App& app);

// The text with a backslash before each of `characters`.
std::string escaped(const std::string& text, const std::string& characters);

}  // namespace iris
