// The training of IrisNet, epoch by epoch.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/iris_net.h"
#include "rows/labelled_source.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/settings.h"

namespace iris {

// The loss, the weights or the optimizer's state are not finite: "training diverged at epoch 3: the loss is nan; …".
class Diverged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Rows on the device: features float32 [N, 4], labels int64 [N].
struct TrainingRows {
  at::Tensor features;
  at::Tensor labels;
  std::int64_t count() const { return labels.size(0); }
};

struct Measures {
  double loss = 0;      // mean cross-entropy
  double accuracy = 0;  // 0 to 1
};

// CRC-32 of the features' bytes, then the labels'. A checkpoint has it, so that a run goes on with the same data only.
std::int64_t data_crc32(const LabelledRows& rows);

// Seeds LibTorch's global generator and draws all random numbers from it, in the order of
// python_export/iris_export/training.py: the same data and configuration give the same bits there, on the CPU with the
// same number of threads. One at a time in a process.
class Trainer {
 public:
  // data: the file's name, for messages. Throws InputError for a single class, and for a class of too few rows to be in
  // every part.
  Trainer(const TrainConfig& config, const LabelledRows& rows, const std::string& data, c10::Device device);

  // Goes on from what read_checkpoint gave, whose config is the constructor's. Throws FormatError, without the path,
  // where it does not fit the data, the optimizer or the random generator.
  void restore(const Checkpoint& checkpoint);

  // All epochs are done, or is_stopped_early().
  bool is_done() const { return epoch_ >= config_.epochs || is_stopped_early(); }
  bool is_stopped_early() const { return best_ && epoch_ - best_->epoch >= *config_.patience; }

  // Trains to the end of the epoch and returns true; false after an earlier batch where a signal was noted
  // (io/interrupt.h). Throws Diverged; after that only history() may be used.
  bool run_epoch();

  // Shares the trainer's memory: write it before the training goes on.
  Checkpoint checkpoint() const {
    return {epoch_, batch_, loss_sum_, state_dict(), optimizer_->state(), rng_state_, best_, config_, history_};
  }

  // With early stopping: takes the best epoch's weights.
  void finish();

  std::int64_t epoch() const { return epoch_; }
  std::int64_t best_epoch() const { return best_ ? best_->epoch : epoch_; }
  const std::vector<EpochRecord>& history() const { return history_; }
  StateDict state_dict() const { return state_dict_of(*net_); }
  // Of the current weights.
  Measures measure_training() { return measure(training_); }
  Measures measure_test() { return measure(test_); }
  std::int64_t training_count() const { return training_.count(); }
  std::int64_t test_count() const { return test_.count(); }

 private:
  Measures measure(const TrainingRows& rows);
  void end_epoch();
  void require_finite(double loss) const;
  void require_finite_state() const;
  [[noreturn]] void fail_diverged(const std::string& what) const;

  TrainConfig config_;
  IrisNet net_{nullptr};
  std::optional<FusedOptimizer> optimizer_;
  TrainingRows training_;
  TrainingRows validation_;  // empty without early stopping
  TrainingRows test_;
  std::int64_t epoch_ = 0;  // epochs done
  std::int64_t batch_ = 0;  // batches done of the next epoch
  double loss_sum_ = 0;
  at::Tensor rng_state_;  // where the next epoch begins
  std::optional<BestWeights> best_;
  std::vector<EpochRecord> history_;
};

}  // namespace iris
