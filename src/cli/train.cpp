#include "cli/train.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>

#include "cli/model_options.h"
#include "cli/number_option.h"
#include "cli/start/plugin.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"

namespace iris {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostCount = (std::int64_t{1} << 31) - 1;

// A --checkpoint-dir that is not there yet counts as a folder: it is made before --resume is looked at.
bool is_folder(const std::string& path, const std::optional<std::string>& checkpoint_dir) {
  if (fs::is_directory(path)) {
    return true;
  }
  const auto place_of = [](const std::string& name) {
    std::error_code error;
    const fs::path place = fs::weakly_canonical(fs::absolute(name, error) / "", error);
    return error ? fs::path(name) : place;
  };
  return checkpoint_dir && place_of(path) == place_of(*checkpoint_dir);
}

void add_config_options(CLI::App& command, TypedConfig& typed) {
  const auto is_positive = [](double value) { return value > 0; };
  const auto is_fraction = [](double value) { return value > 0 && value < 1; };
  const CLI::Validator count = whole_number(1, kMostCount);
  command.add_option("--epochs", typed.epochs, "Passes over the training rows (50)")->transform(count);
  command.add_option("--batch-size", typed.batch_size, "Rows per step (16)")->transform(count);
  command.add_option("--optimizer", typed.optimizer, "adam (default), adamw or sgd")
      ->check(CLI::IsMember({"adam", "adamw", "sgd"}));
  add_number(command, "--lr", typed.lr, "Learning rate (0.005)", is_positive, "a finite number above 0");
  add_number(
      command, "--weight-decay", typed.weight_decay, "Weight decay (0; adamw: 0.01)",
      [](double value) { return value >= 0; }, "a finite number from 0");
  add_number(
      command, "--momentum", typed.momentum, "Momentum of sgd (0.9)",
      [](double value) { return value >= 0 && value < 1; }, "from 0 to below 1");
  command.add_option("--hidden", typed.hidden, "IrisNet's hidden units (16)")
      ->transform(whole_number(1, std::int64_t{1} << 20));
  command.add_option("--seed", typed.seed, "Decides the first weights, the split and the order of the rows (0)")
      ->transform(whole_number(0, std::numeric_limits<std::int64_t>::max()));
  command.add_option("--label-column", typed.label_column, "The column that holds the classes (species)");
  add_number(command, "--test-fraction", typed.test_fraction, "Share of each class that is held out (0.2)", is_fraction,
             "above 0 and below 1");
  command
      .add_option("--patience", typed.patience,
                  "Stop once the validation loss has not been lower for N epochs, and keep the best weights")
      ->transform(count);
  add_number(command, "--validation-fraction", typed.validation_fraction,
             "With --patience: share of each class's training rows that is set aside for it (0.2)", is_fraction,
             "above 0 and below 1");
}

int run_train(const TrainOptions& typed) {
  const TrainOptions options = settled(typed);
  return plugin_function<decltype(train_model)>(Plugin::kTorchVerbs, "iris_train")(options);
}

}  // namespace

TrainOptions settled(TrainOptions options) {
  if (options.resume) {
    options.resume->is_folder = is_folder(options.resume->path, options.checkpoint_dir);
  }
  if ((options.checkpoint_every || options.keep) && !options.checkpoint_dir &&
      !(options.resume && options.resume->is_folder)) {
    throw UsageError("--checkpoint-every and --keep are for --checkpoint-dir");
  }
  if (is_same_file(options.output, options.data)) {
    throw UsageError("-o " + options.output + " would replace the data; write to another file");
  }
  if (options.history && is_same_file(*options.history, options.data)) {
    throw UsageError("--history " + *options.history + " would replace the data; write to another file");
  }
  if (options.history && (*options.history == options.output || is_same_file(*options.history, options.output))) {
    throw UsageError("--history and -o name one file");
  }
  for (const std::string& output : {options.output, options.history.value_or(options.output)}) {
    if (options.resume && is_same_file(output, options.resume->path)) {
      throw UsageError(output + " would replace the checkpoint; write to another file");
    }
  }
  return options;
}

void add_train(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("train", "IrisNet, trained on a CSV file");
  auto options = std::make_shared<TrainOptions>();
  const CLI::Validator count = whole_number(1, kMostCount);
  command
      ->add_option("DATA", options->data,
                   "CSV with a header: the four features and the label column, in any order; - is stdin")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("-o,--output", options->output,
                   "The state_dict to write, for Python's torch.load(weights_only=True) too; - is stdout")
      ->type_name("FILE")
      ->required();
  add_config_options(*command, options->typed);
  command->add_option("--checkpoint-dir", options->checkpoint_dir, "Folder for checkpoints, made if it is not there")
      ->type_name("DIR");
  command->add_option("--checkpoint-every", options->checkpoint_every, "Epochs from one checkpoint to the next (10)")
      ->transform(count);
  command->add_option("--keep", options->keep, "Checkpoints to keep, the newest (all)")->transform(count);
  command
      ->add_option_function<std::string>(
          "--resume", [options](const std::string& path) { options->resume = Resume{path}; },
          "Go on from this checkpoint, or from the newest whole one in this folder")
      ->type_name("PATH");
  command->add_option("--history", options->history, "CSV file for the losses and accuracies of every epoch")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "The result as one JSON object");
  add_device_options(*command, options->device, options->allows_tf32);
  command->add_option("--threads", options->threads, "LibTorch's threads; another count gives other last bits (1)")
      ->transform(whole_number(1, 1024));
  command
      ->add_option("--log-every", options->log_every, "Without a terminal: print loss and accuracy every N epochs (10)")
      ->transform(count);
  command->add_flag("-q,--quiet", options->quiet, "No progress");
  command->footer(
      "Examples:\n"
      "  iris train data/iris.csv -o model.pt\n"
      "  iris train data/iris.csv -o model.pt --epochs 500 --patience 30 --history history.csv\n"
      "  iris train data/iris.csv -o model.pt --checkpoint-dir run1 --resume run1   # the same line again after a "
      "kill\n"
      "python python_export/train.py takes the same options and gives the same bits.");
  command->callback([options, &run] { run = [options] { return run_train(*options); }; });
}

}  // namespace iris
