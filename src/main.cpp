// Wires the subcommands and maps errors to the exit statuses.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "cli/choice_words.h"
#include "cli/shell/shell.h"
#include "cli/start/plugin.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/interrupt.h"
#include "io/mapping.h"
#include "io/output_file.h"
#include "rows/float_text.h"
#include "text.h"

namespace {

// Each line of the message in a form that a terminal cannot take for commands, whatever names are in it.
iris::ExitStatus fail(iris::ExitStatus status, const std::string& message) {
  std::istringstream lines(message);
  std::string shown;
  for (std::string line; std::getline(lines, line);) {
    shown += (shown.empty() ? "" : "\n") + iris::text::printable(line, std::string::npos);
  }
  std::fprintf(stderr, "iris: error: %s\n", shown.c_str());
  return status;
}

// CLI11 takes "-.5" and "-inf" for options, but not after a blank. Readers of numbers drop the blank. And it takes the
// next word for the value of "--option=".
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::string& argument : arguments) {
    if (argument.starts_with('-') && iris::parse_float(argument)) {
      argument.insert(0, " ");
    }
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      throw iris::UsageError(argument + " has no value");
    }
  }
  return {arguments.rbegin(), arguments.rend()};  // CLI11 takes them last first
}

// If one of them is closed, the next file that is opened would become it. The stand-ins are opened the wrong way round,
// so that using them stays an error.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0) {
      ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int run(int argc, char** argv) {
  CLI::App app("Runs in C++ what was trained in PyTorch.", "iris");
  iris::Run run;
  for (const auto add : {iris::add_predict, iris::add_evaluate, iris::add_train, iris::add_inspect, iris::add_convert,
                         iris::add_serve, iris::add_completions, iris::add_man, iris::add_help}) {
    add(app, run);
  }
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", [] {
    try {
      const std::string torch = iris::plugin_function<const char*()>(iris::Plugin::kTorchVerbs, "iris_libtorch")();
      return "iris " IRIS_VERSION " (" + torch + ")";
    } catch (const iris::InputError& error) {  // the answer is the version, also without LibTorch
      std::fprintf(stderr, "iris: %s\n", error.what());
      return std::string("iris " IRIS_VERSION " (LibTorch: none found)");
    }
  });
  app.footer(
      "iris VERB --help, or iris help VERB, shows a verb's options, with examples. Exit status: 0 done, 1 failed, 2 "
      "wrong usage,\n"
      "3 done but rows were skipped, 130 interrupted.");
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::Success& success) {  // --help, --version
    if (app.get_subcommands().empty() && app.remaining_size() > 0) {
      return fail(iris::kWrongUsage, iris::usage_message(app, success));
    }
    std::ostringstream asked;
    app.exit(success, asked, asked);
    iris::OutputFile("-").write(asked.str());
    return iris::kDone;
  } catch (const CLI::ParseError& error) {
    return fail(iris::kWrongUsage, iris::usage_message(app, error));
  }
  return run();
}

int status_of(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const iris::UsageError& error) {
    return fail(iris::kWrongUsage, error.what() + iris::choice_words(error.choice));
  } catch (const iris::Interrupted& interrupted) {
    return iris::kSignalBase + interrupted.signal;
  } catch (const iris::OutputClosed&) {
    return iris::kDone;
  } catch (const iris::Error& error) {
    return fail(iris::kFailed, error.what() + iris::choice_words(error.choice));
  } catch (const std::bad_alloc&) {
    return fail(iris::kFailed, "memory is exhausted; the file, or --batch-size, is too large");
  } catch (const std::exception& error) {
    const std::string message = error.what();
    return fail(iris::kFailed,
                message.substr(0, std::min(message.find("\nException raised from "), message.find("\nframe #"))));
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  iris::note_interrupts();
  iris::survive_cut_files();
  const int status = status_of(argc, argv);
  std::fflush(nullptr);
  std::_Exit(status);  // everything is written and closed; LibTorch's own exit takes a third of a short run
}
