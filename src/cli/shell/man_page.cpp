#include <algorithm>
#include <cctype>
#include <memory>
#include <sstream>

#include "cli/shell/shell.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"
#include "text.h"

namespace iris {
namespace {

std::string roff(const std::string& text) {
  std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char character : text) {
    result += character == '\\' ? "\\e" : character == '-' ? "\\-" : std::string(1, character);
  }
  return result;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }

std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string sentence(const std::string& text) { return text.ends_with('.') ? text : text + "."; }

std::string option_entry(const OptionWords& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) {
    names.push_back(bold(name));
  }
  std::string head = text::joined(names);
  if (!option.value.empty()) {
    head += (head.empty() ? "" : " ") + italic(option.value);
  }
  std::string text = roff(sentence(option.description));
  if (!option.choices.empty() && !option.takes_others) {
    text += " One of " + roff(text::joined(option.choices, ", ")) + ".";
  }
  if (!option.limits.empty()) {
    text += " " + italic(option.value) + " is " + roff(option.limits) + ".";
  }
  if (!option.needs.empty()) {
    text += " Needs " + bold(option.needs) + ".";
  }
  return ".TP\n" + head + "\n" + text + "\n";
}

// Indented lines of a footer are examples, kept as they are; the rest is text.
std::string footer_sections(const std::string& footer) {
  std::istringstream lines(footer);
  std::string text;
  bool is_example = false;
  for (std::string line; std::getline(lines, line);) {
    const std::string heading = "Examples:";
    const bool starts_examples = line.ends_with(heading);
    if (line.starts_with("  ")) {
      text += (is_example ? "" : ".nf\n") + roff(line) + "\n";
      is_example = true;
      continue;
    }
    text += is_example ? ".fi\n.PP\n" : "";
    is_example = false;
    if (starts_examples) {
      line.resize(line.size() - heading.size());
    }
    if (!line.empty()) {
      text += (text.empty() ? ".SH NOTES\n" : "") + roff(line) + "\n";
    }
    text += starts_examples ? ".SH EXAMPLES\n" : "";
  }
  return text + (is_example ? ".fi\n" : "");
}

}  // namespace

std::string man_page(const CLI::App& app, const CLI::App& command) {
  const bool is_program = &command == &app;
  const std::string name = is_program ? "iris" : "iris-" + command.get_name();
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
  std::string text = ".TH " + roff(title) + " 1 \"\" \"iris " IRIS_VERSION "\" \"User Commands\"\n.SH NAME\n" +
                     roff(name) + " \\- " + roff(command.get_description()) + "\n.SH SYNOPSIS\n" + bold("iris") +
                     (is_program ? " " + italic("VERB") : " " + bold(command.get_name())) + " [" + italic("OPTION") +
                     "]...";
  const auto arguments = arguments_of(command);
  for (const OptionWords& argument : arguments) {
    text += (argument.is_required ? " " : " [") + italic(argument.value) + (argument.is_many ? "..." : "") +
            (argument.is_required ? "" : "]");
  }
  text += is_program ? "\n.SH VERBS\n" : "\n.SH ARGUMENTS\n";
  for (const CLI::App* verb : verbs_of(command)) {
    text += ".TP\n" + bold(verb->get_name()) + "\n" + roff(sentence(verb->get_description())) + " See " +
            bold("iris-" + verb->get_name()) + "(1).\n";
  }
  for (const OptionWords& argument : arguments) {
    text += option_entry(argument);
  }
  text += ".SH OPTIONS\n";
  for (const OptionWords& option : options_of(command)) {
    text += option_entry(option);
  }
  text += footer_sections(command.get_footer());
  return is_program ? text : text + ".SH SEE ALSO\n" + bold("iris") + "(1)\n";
}

// Hidden from --help: the build and packages use it.
void add_man(CLI::App& app, Run& run) {
  CLI::App* man = app.add_subcommand("man", "The manual page of iris or of a verb, in roff")->group("");
  auto verb = std::make_shared<std::string>();
  man->add_option("VERB", *verb, "The verb; without it, the program's own page");
  man->callback([&app, verb, &run] {
    run = [&app, verb] {
      const CLI::App* command = verb->empty() ? &app : nullptr;
      for (const CLI::App* each : verbs_of(app)) {
        command = each->get_name() == *verb ? each : command;
      }
      if (command == nullptr) {
        throw UsageError("man: there is no verb " + text::quoted(*verb) + "; iris --help lists them");
      }
      OutputFile("-").write(man_page(app, *command));
      return kDone;
    };
  });
}

}  // namespace iris
