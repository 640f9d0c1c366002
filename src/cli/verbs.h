// The subcommands, and what their exit status says. Each has a file, which declares its options and says what is run.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace iris {

// The README and iris --help explain it too.
enum ExitStatus {
  kDone = 0,
  kFailed = 1,       // the work could not be done
  kWrongUsage = 2,   // the command line is wrong
  kRowsSkipped = 3,  // done, without the bad rows
  kSignalBase = 128  // plus the signal's number: a signal ended the run
};

// What the command line asks for. Returns the exit status. main turns its exceptions into one.
using Run = std::function<int()>;

// Each adds its subcommand to the app; parsing a command line that names it sets `run`.
void add_predict(CLI::App& app, Run& run);
void add_evaluate(CLI::App& app, Run& run);
void add_train(CLI::App& app, Run& run);
void add_inspect(CLI::App& app, Run& run);
void add_convert(CLI::App& app, Run& run);
void add_serve(CLI::App& app, Run& run);

// These show the app's other verbs and options, whether they were added before or after.
void add_completions(CLI::App& app, Run& run);
void add_man(CLI::App& app, Run& run);
void add_help(CLI::App& app, Run& run);

}  // namespace iris
