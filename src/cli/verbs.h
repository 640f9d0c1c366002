// The subcommands, a file each: its options, add_VERB to declare them, run_VERB to do the work and print the results.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace iris {

// What the command line asks for. Returns the exit status; throws what main turns into one.
using Run = std::function<int()>;

// Each adds its subcommand to the app; parsing a command line that names it sets `run`.
void add_predict(CLI::App& app, Run& run);
void add_evaluate(CLI::App& app, Run& run);
void add_train(CLI::App& app, Run& run);
void add_inspect(CLI::App& app, Run& run);
void add_convert(CLI::App& app, Run& run);
void add_serve(CLI::App& app, Run& run);

// Of the app's other verbs and options, those of every add_VERB that came before or comes after.
void add_completions(CLI::App& app, Run& run);
void add_man(CLI::App& app, Run& run);

}  // namespace iris
