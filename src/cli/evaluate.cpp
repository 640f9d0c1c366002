#include "cli/evaluate.h"

#include <memory>

#include "cli/option_types.h"
#include "cli/start/plugin.h"

namespace iris {

void add_evaluate(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("evaluate", "How well a model's answers agree with a CSV file's labels");
  auto options = std::make_shared<EvaluateOptions>();
  add_file(*command, "MODEL", options->model.path, "A file that holds a model, whatever its name; - is stdin")
      ->required();
  add_file(*command, "DATA", options->data,
           "CSV of the features and the label, with a header in any order or without; - is stdin")
      ->required();
  command->add_option("--label-column", options->label_column,
                      "The column that holds the true classes (species, else class, variety, target, label or name)");
  command->add_flag("--json", options->json, "One JSON object");
  add_whole(*command, "--batch-size", options->batch_size, 1, 1 << 24,
            "Rows per pass through the model, at most (4096; CUDA: 65536)");
  command->add_flag("-q,--quiet", options->quiet, "No progress bar");
  add_model_options(*command, options->model);
  command->footer(
      "Examples:\n"
      "  iris evaluate model.pt data/iris.csv\n"
      "  iris evaluate wine.ts.pt wine.csv --label-column cultivar --json");
  command->callback([options, &run] {
    run = [options] {
      check_standard_input(options->model.path, options->data);
      return plugin_function<decltype(evaluate_model)>(Plugin::kTorchVerbs, "iris_evaluate")(*options);
    };
  });
}

}  // namespace iris
