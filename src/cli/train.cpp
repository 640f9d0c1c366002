#include "cli/train.h"

#include <filesystem>
#include <memory>
#include <sstream>
#include <tuple>
#include <type_traits>

#include "cli/model_options.h"
#include "cli/option_types.h"
#include "cli/start/plugin.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/descriptor_path.h"
#include "io/output_file.h"
#include "model/file/model_names.h"
#include "text.h"

namespace iris {
namespace {

// A --checkpoint-dir that is not there yet counts as a folder: it is made before --resume is looked at.
bool is_folder(const std::string& path, const std::optional<std::string>& checkpoint_dir) {
  const auto with_slash = [](const std::string& name) { return (std::filesystem::path(name) / "").string(); };
  return std::filesystem::is_directory(path) ||
         (checkpoint_dir && is_same_file(with_slash(path), with_slash(*checkpoint_dir)));
}

// With the default: "Weight decay (0; adamw: 0.01)".
template <typename T>
std::string help_of(const Setting<T>& setting) {
  if (!setting.standard) {
    return setting.help;
  }
  std::ostringstream help;
  help << setting.help << " (" << *setting.standard;
  if (setting.standard_of_adamw) {
    help << "; adamw: " << *setting.standard_of_adamw;
  }
  return help.str() + ")";
}

template <typename T>
void add_setting(CLI::App& command, const Setting<T>& setting, std::optional<T>& typed) {
  const std::string name = option_name(setting.name);
  if constexpr (std::is_same_v<T, Optimizer>) {
    std::vector<std::pair<std::string, Optimizer>> words;
    for (const Optimizer optimizer : kOptimizers) {
      words.emplace_back(name_of(optimizer), optimizer);
    }
    add_enum(command, name, typed, words, setting.help);
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    add_whole(command, name, typed, setting.range.least, setting.range.most, help_of(setting));
  } else if constexpr (std::is_same_v<T, double>) {
    const auto is_wanted = [range = setting.range](double value) { return range.has(value); };
    add_number(command, name, typed, help_of(setting), is_wanted, setting.range.words);
  } else {
    command.add_option(name, typed, help_of(setting));
  }
}

int run_train(const TrainOptions& typed) {
  const TrainOptions options = settled(typed);
  return plugin_function<decltype(train_model)>(Plugin::kTorchVerbs, "iris_train")(options);
}

}  // namespace

TrainOptions settled(TrainOptions options) {
  for (const auto& [option, names, count] : {std::tuple{"--features", &options.features, iris_features().size()},
                                             std::tuple{"--labels", &options.labels, iris_labels().size()}}) {
    if (!names->empty() && names->size() != count) {
      throw UsageError(option + std::string(": IrisNet has ") + std::to_string(count) + ", but " +
                       std::to_string(names->size()) + (names->size() == 1 ? " is named" : " are named"));
    }
  }
  if (is_standard_output(options.output)) {
    options.output = "-";
  }
  options.resumes_folder = options.resume && is_folder(*options.resume, options.checkpoint_dir);
  if (options.resumes_folder && !options.checkpoint_dir) {
    options.checkpoint_dir = options.resume;
  }
  if ((options.checkpoint_every || options.keep) && !options.checkpoint_dir) {
    throw UsageError("--checkpoint-every and --keep are for --checkpoint-dir");
  }
  const std::vector<std::pair<std::string, std::string>> outputs = {
      {"-o ", options.output}, {"--history ", options.history.value_or(options.output)}};
  for (const auto& [option, path] : outputs) {
    if (is_same_file(path, options.data)) {
      throw UsageError(option + text::path_name(path) + " would replace the data; write to another file");
    }
    if (options.resume && is_same_file(path, *options.resume)) {
      throw UsageError(text::path_name(path) + " would replace the checkpoint; write to another file");
    }
  }
  if (options.history && (*options.history == options.output || is_same_file(*options.history, options.output) ||
                          (is_standard_output(*options.history) && is_standard_output(options.output)))) {
    throw UsageError("--history and -o name one file");
  }
  return options;
}

void add_train(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("train", "IrisNet, trained on a CSV file");
  auto options = std::make_shared<TrainOptions>();
  const auto add_count = [command](const char* name, auto& target, const char* description) {
    add_whole(*command, name, target, kCount.least, kCount.most, description);
  };
  add_file(*command, "DATA", options->data,
           "CSV of the four features and the label, with a header in any order or without; - is stdin")
      ->required();
  add_file(*command, "-o,--output", options->output,
           "The state_dict to write, for Python's torch.load(weights_only=True) too; - is stdout")
      ->required();
  visit_settings([command](const auto& setting, auto& typed) { add_setting(*command, setting, typed); },
                 options->typed);
  add_names(*command, "--features", options->features,
            "Columns of the four features, in IrisNet's order: a,b,c,d or, as in CSV, a,\"b,c\",d,e");
  add_names(*command, "--labels", options->labels, "The three classes as the data has them, in IrisNet's order: a,b,c");
  command->add_option("--checkpoint-dir", options->checkpoint_dir, "Folder for checkpoints, made if it is not there")
      ->type_name("DIR");
  add_count("--checkpoint-every", options->checkpoint_every, "Epochs from one checkpoint to the next (10)");
  add_count("--keep", options->keep, "Checkpoints to keep, the newest (all)");
  command
      ->add_option("--resume", options->resume,
                   "Go on from this checkpoint, or from the newest whole one in this folder")
      ->type_name("PATH");
  add_file(*command, "--history", options->history, "CSV file for the losses and accuracies of every epoch");
  command->add_flag("--json", options->json, "The result as one JSON object");
  add_device_options(*command, options->device, options->allows_tf32);
  add_whole(*command, "--threads", options->threads, 1, 1024,
            "LibTorch's threads; another count gives other last bits (1)");
  add_count("--log-every", options->log_every, "Without a terminal: print loss and accuracy every N epochs (10)");
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
