// What the command line's definitions say, as completions and manual pages need it. Hidden verbs and options are left
// out.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace iris {

struct OptionWords {
  std::vector<std::string> names;    // "-i", "--input"; none: an argument, whose name is `value`
  std::string value;                 // "FILE", "UINT"; empty: takes none
  std::vector<std::string> choices;  // all that it takes; none: not a choice
  std::string limits;                // "in 1 to 1024", or empty
  std::string needs;                 // the option that it goes with, or empty
  std::string description;
  bool is_path = false;
  bool is_directory = false;
  bool is_required = false;
  bool is_many = false;
};

std::vector<OptionWords> options_of(const CLI::App& command);
std::vector<OptionWords> arguments_of(const CLI::App& command);
std::vector<const CLI::App*> verbs_of(const CLI::App& app);

// The same, with `between` between them.
std::string joined(const std::vector<std::string>& words, const std::string& between);

// The text with a backslash before each of `characters`.
std::string escaped(const std::string& text, const std::string& characters);

}  // namespace iris
