#include <memory>

#include "cli/shell/shell.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"
#include "text.h"

namespace iris {

// Hidden from --help, whose last lines tell of it.
void add_help(CLI::App& app, Run& run) {
  CLI::App* help = app.add_subcommand("help", "What iris --help shows, or with a verb what its --help does")->group("");
  auto verb = std::make_shared<std::string>();
  help->add_option("VERB", *verb, "The verb; without it, the program itself");
  help->callback([&app, verb, &run] {
    run = [&app, verb] {
      const CLI::App* command = verb->empty() ? &app : nullptr;
      std::vector<std::string> names;
      for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
        command = each->get_name() == *verb ? each : command;
        if (!each->get_group().empty()) {
          names.push_back(each->get_name());
        }
      }
      if (command == nullptr) {
        const std::string near = text::nearest(*verb, names);
        throw UsageError("there is no verb " + text::quoted(*verb) +
                         (near.empty() ? "; iris --help lists them" : "; did you mean " + near + "?"));
      }
      app.clear();  // of the verb "help", whose help would be shown otherwise
      OutputFile("-").write(command == &app ? app.help() : command->help("iris"));
      return kDone;
    };
  });
}

}  // namespace iris
