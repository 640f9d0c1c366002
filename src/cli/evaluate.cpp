#include "cli/evaluate.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/number_option.h"
#include "cli/start/plugin.h"
#include "cli/verbs.h"

namespace iris {
namespace {

int run_evaluate(const EvaluateOptions& typed) {
  const EvaluateOptions options = settled(typed);
  return plugin_function<decltype(evaluate_model)>(Plugin::kTorchVerbs, "iris_evaluate")(options);
}

}  // namespace

EvaluateOptions settled(EvaluateOptions options) {
  check_standard_input(options.model, options.data);
  set_names(options.names, options.classifier);
  return options;
}

void add_evaluate(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("evaluate", "How well a model's answers agree with a CSV file's labels");
  auto options = std::make_shared<EvaluateOptions>();
  command->add_option("MODEL", options->model, "A file that holds a model, whatever its name; - is stdin")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("DATA", options->data,
                   "CSV with a header: the features and the label column, in any order; - is stdin")
      ->type_name("FILE")
      ->required();
  command->add_option("--label-column", options->label_column, "The column that holds the true classes (species)");
  command->add_flag("--json", options->json, "One JSON object");
  command
      ->add_option("--batch-size", options->batch_size, "Rows per pass through the model, at most (4096; CUDA: 65536)")
      ->transform(whole_number(1, 1 << 24));
  command->add_flag("-q,--quiet", options->quiet, "No progress bar");
  add_model_options(*command, options->names, options->classifier, options->allows_tf32);
  command->add_option("--threads", options->threads, "LibTorch's threads within one pass")
      ->transform(whole_number(1, 1024));
  command->footer(
      "Examples:\n"
      "  iris evaluate model.pt data/iris.csv\n"
      "  iris evaluate wine.ts.pt wine.csv --label-column cultivar --json");
  command->callback([options, &run] { run = [options] { return run_evaluate(*options); }; });
}

}  // namespace iris
