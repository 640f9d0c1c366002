#include <algorithm>

#include "cli/shell/shell.h"
#include "text.h"

namespace iris {
namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const OptionWords& option : options_of(command)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// "iris evaluate MODEL DATA"; empty where the verb takes no file by its place.
std::string by_place(const CLI::App& verb) {
  std::string line = "iris " + verb.get_name();
  bool takes_files = false;
  for (const OptionWords& argument : arguments_of(verb)) {
    line += " " + argument.value;
    takes_files = takes_files || argument.is_path;
  }
  return takes_files ? line : "";
}

// An option by which other verbs take files.
bool names_file(const std::string& word, const CLI::App& verb) {
  const std::string name = word.substr(0, word.find('='));
  return has({"-i", "--input", "-o", "--output"}, name) && !has(option_names(verb), name);
}

// What to do instead, for a word that the app, or its verb, does not expect.
std::string way_out(const std::string& typed, const CLI::App& app, const CLI::App* verb) {
  const std::string name = typed.substr(0, typed.find('='));
  if (verb == nullptr) {
    return text::nearest(name, option_names(app));
  }
  const std::vector<std::string> names = option_names(*verb);
  if (has(names, name)) {  // it stands before the verb
    return "iris " + verb->get_name() + " " + name;
  }
  return text::nearest(name, names);
}

}  // namespace

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const auto verbs = app.get_subcommands();
  const CLI::App* const verb = verbs.empty() ? nullptr : verbs[0];
  std::vector<std::string> unexpected = app.remaining(true);
  for (std::string& word : unexpected) {
    word = text::path_name(word.starts_with(' ') ? word.substr(1) : word);  // the blank before a negative number
  }
  std::string message;
  if (unexpected.empty()) {
    message = text::path_name(error.what());
  } else if (verb == nullptr && !is_option(unexpected[0])) {
    std::vector<std::string> names;
    for (const CLI::App* each : verbs_of(app)) {
      names.push_back(each->get_name());
    }
    const std::string near = text::nearest(unexpected[0], names);
    message = "there is no verb " + text::quoted(unexpected[0]) + (near.empty() ? "" : "; did you mean " + near + "?");
  } else {
    message = "not expected: " + text::joined(unexpected, " ");
    std::vector<std::string> ways;
    for (const std::string& word : unexpected) {
      if (verb != nullptr && names_file(word, *verb) && !by_place(*verb).empty()) {
        message += "; " + verb->get_name() + " takes its files by place: " + by_place(*verb);
        ways.clear();
        break;
      }
      const std::string way = is_option(word) ? way_out(word, app, verb) : "";
      if (!way.empty() && !has(ways, way)) {
        ways.push_back(way);
      }
    }
    message += ways.empty() ? "" : "; did you mean " + text::joined(ways) + "?";
  }
  return message + "\nSee: iris " + (verb == nullptr ? "" : verb->get_name() + " ") + "--help";
}

}  // namespace iris
