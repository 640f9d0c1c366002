#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/progress.h"
#include "cli/run/start_device.h"
#include "cli/train.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/interrupt.h"
#include "io/output_file.h"
#include "model/device.h"
#include "model/file/model_names.h"
#include "model/torch_errors.h"
#include "rows/float_text.h"
#include "rows/labelled_source.h"
#include "text.h"
#include "train/checkpoint.h"
#include "train/checkpoint_folder.h"
#include "train/history.h"
#include "train/trainer.h"
#include "with_place.h"

namespace iris {
namespace {

namespace fs = std::filesystem;

std::string percent(double share) { return fixed_text(100 * share, 1) + "%"; }

// Throws InputError where the file could not be written. Does not open a pipe or a device.
void check_output(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error) || !fs::is_other(path, error)) {
    const OutputFile not_kept(path);
  }
}

class TrainingRun {
 public:
  explicit TrainingRun(const TrainOptions& options)
      : options_(options), device_(start_device(options.device, options.allows_tf32, options.threads)) {
    check_output(options.output);
    if (options.history) {
      check_output(*options.history);
    }
    if (options.checkpoint_dir) {
      folder_.emplace(*options.checkpoint_dir, options.keep);
    }
    resume();
    if (!trainer_) {
      start(options.typed.with_defaults());
    }
  }

  void run() {
    {
      const HeldInterrupts held;
      try {
        train();
      } catch (const Diverged& diverged) {
        write_history();
        throw InputError(diverged.what() + last_checkpoint_text());
      } catch (const std::exception& error) {
        if (!is_out_of_memory(error)) {
          throw;
        }
        throw InputError("out of memory on " + device_.str() + " in epoch " + std::to_string(trainer_->epoch() + 1) +
                         "; lower --batch-size or --hidden" + last_checkpoint_text());
      }
      write_history();
      if (is_interrupted()) {
        const long long epoch = trainer_->epoch() + (trainer_->epoch() < config_.epochs ? 1 : 0);
        std::fprintf(stderr, "iris: interrupted in epoch %lld; %s\n", epoch,
                     folder_ ? ("go on with --resume " + folder_->path().string()).c_str()
                             : "nothing is saved: there is no --checkpoint-dir");
      }
    }
    throw_if_interrupted();
    finish();
  }

 private:
  void train() {
    Progress progress(options_.quiet, "epochs", 1);
    const std::int64_t every = options_.checkpoint_every.value_or(10);
    const std::int64_t done_before = trainer_->epoch();
    bool is_ending = is_interrupted();
    while (!is_ending && !trainer_->is_done()) {
      const bool is_whole = trainer_->run_epoch();
      is_ending = is_interrupted();
      const bool is_due = trainer_->is_done() || trainer_->epoch() % every == 0;
      if (folder_ && ((is_whole && is_due) || is_ending)) {
        save();
      }
      if (is_whole) {
        show_epoch(progress, done_before);
      }
    }
  }

  // The last epoch's figures: on a terminal as a bar, else as a line every --log-every epochs.
  void show_epoch(Progress& progress, std::int64_t done_before) const {
    const EpochRecord& record = trainer_->history().back();
    const std::string loss = "loss " + fixed_text(record.loss, 4) + "  accuracy " + percent(record.accuracy);
    if (Progress::is_terminal()) {
      const auto done = static_cast<std::uint64_t>(record.epoch - done_before);
      progress.show(done, done, static_cast<std::uint64_t>(config_.epochs - done_before), loss);
    } else if (!options_.quiet && (record.epoch % options_.log_every == 0 || trainer_->is_done())) {
      std::fprintf(stderr, "epoch %lld/%lld  %s  test accuracy %s\n", static_cast<long long>(record.epoch),
                   static_cast<long long>(config_.epochs), loss.c_str(), percent(record.test_accuracy).c_str());
    }
  }

  // Reads the data and makes the trainer.
  void start(const TrainConfig& config) {
    if (!rows_ || config_.label_column != config.label_column) {
      const auto features = options_.features.empty() ? iris_features() : options_.features;
      LabelledSource source(options_.data, features, unit_of(features), config.label_column,
                            [](const std::string& note) { std::fprintf(stderr, "iris: %s\n", note.c_str()); });
      rows_ = read_labelled_rows(source, options_.labels.empty() ? iris_labels() : options_.labels);
    }
    config_ = config;
    config_.data_crc32 = data_crc32(*rows_);
    config_.torch = torch_version();
    if (!resumed_.empty() && config.data_crc32 != config_.data_crc32) {
      throw InputError(options_.data + ": is not the data that " + resumed_ + " was trained on");
    }
    try {
      trainer_.emplace(config_, *rows_, options_.data, device_);
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) {
        throw;
      }
      throw InputError(options_.data + ": its rows and the model do not fit into the memory of " + device_.str() +
                       "; lower --hidden, or use another --device");
    }
  }

  void resume() {
    if (folder_ && !resumes_in_folder()) {
      const auto there = checkpoints_in(folder_->path());
      if (!there.empty()) {
        throw InputError(folder_->path().string() + ": holds checkpoints already (" +
                         there[0].path.filename().string() + "); go on with --resume " + folder_->path().string() +
                         ", or give another folder");
      }
    }
    if (!options_.resume) {
      return;
    }
    const std::string& path = *options_.resume;
    if (!options_.resumes_folder) {
      restore(path, std::nullopt);
      return;
    }
    const auto files = checkpoints_in(path);
    for (const CheckpointFile& file : files) {
      try {
        restore(file.path.string(), file.position);
        return;
      } catch (const FormatError& error) {
        std::fprintf(stderr, "iris: passed over %s\n", error.what());
        trainer_.reset();
      }
    }
    if (!files.empty()) {
      throw InputError(path + ": none of its " + std::to_string(files.size()) +
                       " checkpoints is whole; give another folder, or start anew without --resume");
    }
    std::fprintf(stderr, "iris: no checkpoint in %s yet; starting from the beginning\n", path.c_str());
  }

  // Whether the run goes on from a checkpoint of the folder that it writes to.
  bool resumes_in_folder() const {
    if (!folder_ || !options_.resume) {
      return false;
    }
    const fs::path path = fs::absolute(*options_.resume);
    std::error_code error;
    return fs::equivalent(options_.resumes_folder ? path : path.parent_path(), folder_->path(), error);
  }

  // position: from the file's name, where a folder was searched.
  void restore(const std::string& path, const std::optional<CheckpointPosition>& position) {
    const Checkpoint checkpoint = read_checkpoint(path);
    if (position && *position != CheckpointPosition{checkpoint.epoch, checkpoint.batch}) {
      throw FormatError(path + ": holds " + std::to_string(checkpoint.epoch) + " epochs and " +
                        std::to_string(checkpoint.batch) + " batches, unlike its name");
    }
    resumed_ = path;
    start(options_.typed.resumed(checkpoint.config, checkpoint.epoch, checkpoint.batch, path));
    with_place(fault_place(path), [&] { trainer_->restore(checkpoint); });
    if (resumes_in_folder()) {
      last_good_ = path;
      folder_->prune({checkpoint.epoch, checkpoint.batch});  // which a kill may have prevented
    }
    if (checkpoint.config.torch != config_.torch) {
      std::fprintf(stderr, "iris: %s was written with torch %s, this is %s: the last bits may differ\n", path.c_str(),
                   text::printable(checkpoint.config.torch, 20).c_str(), config_.torch.c_str());
    }
  }

  void save() {
    const Checkpoint checkpoint = trainer_->checkpoint();
    const CheckpointPosition position{checkpoint.epoch, checkpoint.batch};
    try {
      folder_->add(position, [&](const std::string& path) { write_checkpoint(checkpoint, path); });
      last_good_ = (folder_->path() / position.file_name()).string();
    } catch (const InputError& error) {
      throw InputError(error.what() + last_checkpoint_text());
    }
  }

  void write_history() const {
    if (options_.history) {
      OutputFile output(*options_.history);
      output.write(history_csv(trainer_->history(), config_.patience.has_value()));
      output.commit();
    }
  }

  std::string last_checkpoint_text() const {
    return last_good_.empty() ? "" : "; the last good checkpoint is " + last_good_;
  }

  void finish() {
    if (trainer_->is_stopped_early() && trainer_->epoch() < config_.epochs) {
      std::fprintf(stderr, "iris: stopped early: the validation loss was lowest at epoch %lld\n",
                   static_cast<long long>(trainer_->best_epoch()));
    }
    trainer_->finish();
    write_state_dict(trainer_->state_dict(), options_.output);
    const Measures test = trainer_->measure_test();
    std::string told = "Test accuracy: " + percent(test.accuracy) + "\n";
    if (options_.json) {
      const Measures training = trainer_->measure_training();
      nlohmann::ordered_json object = {{"model", options_.output}, {"epochs", trainer_->epoch()}};
      if (config_.patience) {
        object["best_epoch"] = trainer_->best_epoch();
      }
      object.update({{"loss", training.loss},
                     {"accuracy", training.accuracy},
                     {"test_loss", test.loss},
                     {"test_accuracy", test.accuracy},
                     {"rows", trainer_->training_count()},
                     {"test_rows", trainer_->test_count()}});
      told = text::json(object) + "\n";
    }
    if (options_.output == "-") {  // stdout holds the model
      std::fputs(told.c_str(), stderr);
    } else {
      OutputFile("-").write(told);
    }
  }

  const TrainOptions& options_;
  c10::Device device_;
  std::optional<CheckpointFolder> folder_;
  std::string resumed_;    // the checkpoint's path
  std::string last_good_;  // the newest checkpoint of this run that is whole
  std::optional<LabelledRows> rows_;
  TrainConfig config_;  // rows_ were read with its label_column
  std::optional<Trainer> trainer_;
};

}  // namespace

int train_model(const TrainOptions& options) {
  TrainingRun(options).run();
  return kDone;
}

}  // namespace iris
