#include <memory>

#include "cli/option_types.h"
#include "cli/shell/shell.h"
#include "cli/verbs.h"
#include "io/output_file.h"
#include "text.h"

namespace iris {
namespace {

constexpr const char* kBashStart = R"(# bash completion for iris, made by `iris completions bash`
_iris() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb= word words=
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    if [[ $word != -* ]]; then verb=$word; break; fi
  done
  COMPREPLY=()
  case "$verb $previous" in
)";
constexpr const char* kBashMiddle = R"(  esac
  if [[ -z $words ]]; then
    case "$verb $current" in
)";
constexpr const char* kBashEnd = R"(      *) compopt +o default; return ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _iris iris
)";

// With blanks between them.
std::string option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const OptionWords& option : options_of(command)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return text::joined(names, " ");
}

// Where nothing is offered, readline offers names of files: `return` leaves that so, `+o default` turns it off.
std::string bash_action(const OptionWords& words) {
  return !words.choices.empty() ? ") words='" + text::joined(words.choices, " ") + "' ;;\n"
         : words.is_path        ? ") return ;;\n"
                                : ") compopt +o default; return ;;\n";
}

std::string bash_script(const CLI::App& app) {
  std::string values;
  std::string words;
  std::string first_words;
  for (const CLI::App* verb : verbs_of(app)) {
    const std::string name = verb->get_name();
    first_words += name + " ";
    for (const OptionWords& option : options_of(*verb)) {
      if (!option.value.empty()) {  // 'predict -i' | 'predict --input') …
        values += "    '" + name + " " + text::joined(option.names, "' | '" + name + " ") + "'" + bash_action(option);
      }
    }
    words += "      '" + name + " -'*) words='" + option_names(*verb) + "' ;;\n";
    const auto arguments = arguments_of(*verb);  // the first one's offer is made for all of them
    words += arguments.empty() ? "" : "      '" + name + " '*" + bash_action(arguments[0]);
  }
  words += "      ' '*) words='" + first_words + option_names(app) + "' ;;\n";
  return kBashStart + values + kBashMiddle + words + kBashEnd;
}

std::string zsh_text(const std::string& text) {
  std::string quoted;
  for (const char character : escaped(text, "[]:\\")) {
    quoted += character == '\'' ? "'\\''" : std::string(1, character);
  }
  return quoted;
}

std::string zsh_value(const OptionWords& words) {
  return ":" + zsh_text(words.value) + ":" +
         (!words.choices.empty() ? "(" + text::joined(words.choices, " ") + ")"
          : words.is_directory   ? "_files -/"
          : words.is_path        ? "_files"
                                 : " ");
}

std::string zsh_arguments(const CLI::App& command, const std::string& indent) {
  std::string text;
  for (const OptionWords& option : options_of(command)) {
    std::vector<std::string> names = option.names;
    for (std::string& name : names) {  // the value may be the next word, or follow at once: --input=FILE, -iFILE
      name += option.value.empty() ? "" : name.starts_with("--") ? "=" : "+";
    }
    text += " \\\n" + indent;
    text += names.size() == 1 ? "'" + names[0]
                              : "'(" + text::joined(option.names, " ") + ")'{" + text::joined(names, ",") + "}'";
    text += "[" + zsh_text(option.description) + "]" + (option.value.empty() ? "" : zsh_value(option)) + "'";
  }
  for (const OptionWords& argument : arguments_of(command)) {
    text += " \\\n" + indent + "'" + (argument.is_many ? "*" : "") + zsh_value(argument) + "'";
  }
  return text;
}

std::string zsh_script(const CLI::App& app) {
  std::string verbs;
  std::string arguments;
  for (const CLI::App* verb : verbs_of(app)) {
    verbs += "        '" + verb->get_name() + ":" + zsh_text(verb->get_description()) + "'\n";
    arguments += "        " + verb->get_name() + ") _arguments -s" + zsh_arguments(*verb, "          ") + " ;;\n";
  }
  return R"(#compdef iris
# zsh completion for iris, made by `iris completions zsh`
_iris() {
  local curcontext="$curcontext" context state state_descr line
  typeset -A opt_args
  _arguments -C)" +
         zsh_arguments(app, "    ") + R"( \
    '1: :->verb' '*:: :->rest'
  case $state in
    verb)
      local -a verbs=(
)" + verbs +
         R"(      )
      _describe verb verbs ;;
    rest)
      case $words[1] in
)" + arguments +
         R"(      esac ;;
  esac
}
if [[ $funcstack[1] == _iris ]]; then _iris "$@"; else compdef _iris iris; fi
)";
}

std::string fish_quoted(const std::string& text) { return "'" + escaped(text, "\\'") + "'"; }

std::string fish_line(const std::string& condition, const OptionWords& option) {
  std::string line = "complete -c iris -n " + fish_quoted(condition);
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.value.empty()) {
    line += !option.choices.empty() ? " -x -a " + fish_quoted(text::joined(option.choices, " "))
            : option.is_path        ? " -r -F"
                                    : " -x";
  }
  return line + " -d " + fish_quoted(option.description) + "\n";
}

std::string fish_script(const CLI::App& app) {
  std::string text = "# fish completion for iris, made by `iris completions fish`\ncomplete -c iris -f\n";
  for (const OptionWords& option : options_of(app)) {
    text += fish_line("__fish_use_subcommand", option);
  }
  for (const CLI::App* verb : verbs_of(app)) {
    text += "complete -c iris -n __fish_use_subcommand -a " + verb->get_name() + " -d " +
            fish_quoted(verb->get_description()) + "\n";
    const std::string condition = "__fish_seen_subcommand_from " + verb->get_name();
    for (const OptionWords& option : options_of(*verb)) {
      text += fish_line(condition, option);
    }
    for (const OptionWords& argument : arguments_of(*verb)) {
      if (argument.is_path || !argument.choices.empty()) {
        text += "complete -c iris -n " + fish_quoted(condition) +
                (argument.is_path ? " -F" : " -a " + fish_quoted(text::joined(argument.choices, " "))) + "\n";
      }
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return bash_script(app);
    case Shell::kZsh:
      return zsh_script(app);
    case Shell::kFish:
      return fish_script(app);
  }
  return "";
}

void add_completions(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("completions", "A script that completes iris's options in a shell");
  auto shell = std::make_shared<Shell>();
  add_enum<Shell>(*command, "SHELL", *shell, {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}},
                  "bash, zsh or fish")
      ->required();
  command->footer(
      "Installed packages bring them along. Examples:\n"
      "  source <(iris completions bash)                                # in ~/.bashrc\n"
      "  source <(iris completions zsh)                                 # in ~/.zshrc, after compinit\n"
      "  iris completions fish > ~/.config/fish/completions/iris.fish");
  command->callback([&app, shell, &run] {
    run = [&app, shell] {
      OutputFile("-").write(completion_script(app, *shell));
      return kDone;
    };
  });
}

}  // namespace iris
