// All that a training run needs to go on as if it had never stopped.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state_dict/state_dict.h"
#include "train/train_config.h"

namespace iris {

// An epoch as history has it. Losses are means per row, accuracies shares of the rows; of the training rows the loss is
// the mean over the epoch's own batches, all else is of the weights after it.
struct EpochRecord {
  std::int64_t epoch = 0;  // from 1
  double loss = 0;
  double accuracy = 0;
  double test_loss = 0;
  double test_accuracy = 0;
  std::optional<double> validation_loss;  // with early stopping
  std::optional<double> validation_accuracy;

  // Calls visit(name, member) for each, in the order of files.
  template <typename Record, typename Visit>
  static void visit(Record& record, Visit&& visit) {
    visit("epoch", record.epoch);
    visit("loss", record.loss);
    visit("accuracy", record.accuracy);
    visit("test_loss", record.test_loss);
    visit("test_accuracy", record.test_accuracy);
    visit("validation_loss", record.validation_loss);
    visit("validation_accuracy", record.validation_accuracy);
  }
};

// The weights of the epoch with the lowest validation loss so far.
struct BestWeights {
  std::int64_t epoch = 0;
  StateDict state_dict;
};

// In Python a plain dict of these names: epoch, batch, loss_sum, model_state_dict, optimizer_state_dict, rng_state,
// best, config, history (docs/training.md; python_export/checkpoint.py reads and writes the same).
struct Checkpoint {
  std::int64_t epoch = 0;  // done
  std::int64_t batch = 0;  // done of the next epoch
  double loss_sum = 0;     // over the rows of those batches
  StateDict model;
  StateDict optimizer;   // FusedOptimizer::state
  at::Tensor rng_state;  // uint8: torch.get_rng_state() where that next epoch begins
  std::optional<BestWeights> best;
  TrainConfig config;
  std::vector<EpochRecord> history;  // one for each epoch done
};

// Python's torch.load(path, weights_only=True) reads it, and its optimizer.load_state_dict takes what is in it. The
// file is replaced as a whole. Throws InputError("PATH: …").
void write_checkpoint(const Checkpoint& checkpoint, const std::string& path);

// One that either language wrote, with all checksums compared. Throws FormatError("PATH: …") where it is damaged or is
// not such a checkpoint. Trainer::restore checks the optimizer's state and the random generator's.
Checkpoint read_checkpoint(const std::string& path);

// In front of what is wrong with it, for with_place().
inline std::string fault_place(const std::string& path) {
  return path + ": damaged, or not a checkpoint of a training run";
}

}  // namespace iris
