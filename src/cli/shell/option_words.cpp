#include "cli/shell/shell.h"

#include <sstream>

namespace iris {
namespace {

// CLI11 shows an option's validators only as --help prints them: "TEXT:{csv,ndjson}", "UINT:in 1 to 9".
void read_type(const std::string& type, OptionWords& words) {
  words.value = type.substr(0, type.find_first_of(": "));
  words.is_directory = words.value == "DIR";
  words.is_path = words.is_directory || words.value == "FILE" || words.value == "PATH";
  if (words.value == "DEVICE") {
    words.choices = {"auto", "cpu", "cuda"};
    words.takes_others = true;  // cuda:1
  }
  const std::size_t open = type.find('{');
  if (open != std::string::npos) {
    std::istringstream choices(type.substr(open + 1, type.find('}') - open - 1));
    for (std::string choice; std::getline(choices, choice, ',');) {
      words.choices.push_back(choice);
    }
  } else if (const std::size_t limits = type.find("in "); limits != std::string::npos) {
    words.limits = type.substr(limits);
  }
}

OptionWords words_of(const CLI::Option& option) {
  OptionWords words;
  for (const std::string& name : option.get_snames()) {
    words.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    words.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() != 0) {
    read_type(option.get_type_name(), words);
  }
  if (!option.nonpositional()) {
    words.value = option.get_name(true);
  }
  for (const CLI::Option* needed : option.get_needs()) {
    words.needs = needed->get_name();
  }
  words.description = option.get_description();
  words.is_required = option.get_required();
  words.is_many = option.get_items_expected_max() > 1;
  return words;
}

std::vector<OptionWords> words_where(const CLI::App& command, bool is_option) {
  std::vector<OptionWords> all;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_group().empty() && option->nonpositional() == is_option) {
      all.push_back(words_of(*option));
    }
  }
  return all;
}

}  // namespace

std::vector<OptionWords> options_of(const CLI::App& command) { return words_where(command, true); }

std::vector<OptionWords> arguments_of(const CLI::App& command) { return words_where(command, false); }

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
}

std::string escaped(const std::string& text, const std::string& characters) {
  std::string result;
  for (const char character : text) {
    if (characters.find(character) != std::string::npos) {
      result += '\\';
    }
    result += character;
  }
  return result;
}

}  // namespace iris
