#include "cli/inspect.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/exit_status.h"
#include "cli/verbs.h"
#include "io/output_file.h"

namespace iris {
namespace {

int run_inspect(const InspectOptions& options) {
  const InspectText text = inspect_text(read_model_file(options.model), options);
  OutputFile("-").write(text.result);
  std::fputs(text.summary.c_str(), stderr);
  return kDone;
}

}  // namespace

void add_inspect(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("inspect", "The names and shapes of a file's tensors; nothing in it is run");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("MODEL", options->model, "A file that holds tensors, whatever its name; - is stdin")
      ->type_name("FILE")
      ->required();
  command->add_option("--key", options->key, "Which dictionary of a checkpoint to show");
  command->add_flag("--json", options->json,
                    "One JSON object, with dtypes and what else a checkpoint or an export holds");
  command->add_flag("-q,--quiet", options->quiet, "Changes nothing: inspect shows no progress bar");
  command->footer(
      "Examples:\n"
      "  iris inspect model.pt\n"
      "  iris inspect checkpoint.pt --key optimizer_state_dict --json");
  command->callback([options, &run] { run = [options] { return run_inspect(*options); }; });
}

}  // namespace iris
