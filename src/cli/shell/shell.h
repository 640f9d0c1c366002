// Completions, manual pages and what wrong usage is told, made of the same definitions that parse the command line.
// Hidden verbs and options are left out.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace iris {

struct OptionWords {
  std::vector<std::string> names;    // "-i", "--input"; none: an argument, `value` is its name
  std::string value;                 // "FILE", "UINT"; empty: a flag
  std::vector<std::string> choices;  // the words that it takes, or that most take; none: any
  std::string limits;                // "in 1 to 1024", or empty
  std::string needs;                 // the option that must be given too, or empty
  std::string description;
  bool takes_others = false;  // than the choices
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

enum class Shell { kBash, kZsh, kFish };

// A script that completes iris's options, for the user's shell to source.
std::string completion_script(const CLI::App& app, Shell shell);

// In roff. command: `app` itself, or one of its verbs.
std::string man_page(const CLI::App& app, const CLI::App& command);

// What to tell for a command line that the app could not parse: all that was not expected, as it was typed, with the
// nearest name of a verb or option; else the parser's own words. Ends with where help is.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace iris
