#include <algorithm>
#include <numeric>

#include "cli/shell/shell.h"
#include "text.h"

namespace iris {
namespace {

// How many characters to change, leave out, add, or exchange with their neighbour (Damerau-Levenshtein, each place
// once).
std::size_t slips_between(const std::string& a, const std::string& b) {
  std::vector<std::size_t> two_before;
  std::vector<std::size_t> before(b.size() + 1);
  std::iota(before.begin(), before.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_before[j - 2] + 1);
      }
    }
    two_before = std::move(before);
    before = std::move(row);
  }
  return before.back();
}

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
    return nearest(name, option_names(app));
  }
  const std::vector<std::string> names = option_names(*verb);
  if (has(names, name)) {  // it stands before the verb
    return "iris " + verb->get_name() + " " + name;
  }
  return nearest(name, names);
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t kLongestWord = 100;
  const std::size_t begin = std::min(word.find_first_not_of('-'), word.size());
  if (begin == word.size() || word.size() > kLongestWord) {
    return "";
  }
  std::string best;
  std::size_t fewest = std::max<std::size_t>(1, (word.size() - begin) / 3) + 1;
  std::vector<std::string> longer;
  for (const std::string& name : names) {
    const std::size_t slips = slips_between(word, name);
    if (slips < fewest && name.size() > begin + 1) {
      best = name;
      fewest = slips;
    }
    if (name.starts_with(word) && word.size() > begin + 1) {
      longer.push_back(name);
    }
  }
  return best.empty() && longer.size() == 1 ? longer[0] : best;
}

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
    const std::string near = nearest(unexpected[0], names);
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
