#include "cli/train.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/model_options.h"
#include "cli/number_option.h"
#include "cli/start/plugin.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"

namespace iris {
namespace {

namespace fs = std::filesystem;

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

template <typename T>
std::string text_of(T number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};  // the shortest that gives it back
}
std::string text_of(std::string_view text) { return std::string(text); }

// "0; adamw: 0.01": the first optimizer's that has one, then those that differ.
template <typename T>
std::string defaults_text(const PerOptimizer<T>& defaults) {
  std::string text;
  std::optional<T> first;
  for (const Optimizer optimizer : kOptimizers) {
    const std::optional<T>& its = defaults[optimizer];
    if (its && !first) {
      first = its;
      text = text_of(*first);
    } else if (its && its != first) {
      text += std::string("; ") + name_of(optimizer) + ": " + text_of(*its);
    }
  }
  return text;
}

template <typename Range>
std::string help_of(const Setting<Range>& setting) {
  const std::string defaults = defaults_text(setting.defaults);
  return setting.help + (defaults.empty() ? "" : " (" + defaults + ")");
}

void add_setting(CLI::App& command, const Setting<AnyOptimizer>& setting, std::optional<Optimizer>& typed) {
  std::string help;
  for (const Optimizer optimizer : kOptimizers) {
    help += (optimizer == kOptimizers.front() ? "" : optimizer == kOptimizers.back() ? " or " : ", ");
    help += name_of(optimizer) + std::string(setting.defaults[optimizer] == optimizer ? " (default)" : "");
  }
  command
      .add_option_function<std::string>(
          option_name(setting.name), [&typed](const std::string& name) { typed = optimizer_named(name); }, help)
      ->check(CLI::IsMember(std::vector<std::string>(kOptimizerNames.begin(), kOptimizerNames.end())));
}

void add_setting(CLI::App& command, const Setting<WholeRange>& setting, std::optional<std::int64_t>& typed) {
  command.add_option(option_name(setting.name), typed, help_of(setting))
      ->transform(whole_number(setting.range.least, setting.range.most));
}

void add_setting(CLI::App& command, const Setting<NumberRange>& setting, std::optional<double>& typed) {
  const NumberRange range = setting.range;
  add_number(
      command, option_name(setting.name), typed, help_of(setting), [range](double value) { return range.has(value); },
      range.words);
}

void add_setting(CLI::App& command, const Setting<AnyText>& setting, std::optional<std::string>& typed) {
  command.add_option(option_name(setting.name), typed, help_of(setting));
}

void add_config_options(CLI::App& command, TypedConfig& typed) {
  bool is_last = false;
  for (int place = 0; !is_last; ++place) {
    is_last = true;
    visit_settings(
        [&](const auto& setting, auto& member) {
          if (setting.help_place == place) {
            add_setting(command, setting, member);
          }
          is_last = is_last && setting.help_place <= place;
        },
        typed);
  }
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
  const CLI::Validator count = whole_number(kCount.least, kCount.most);
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
