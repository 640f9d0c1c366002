// A training run's checkpoint: from it the run goes on with the bits of a run that never stopped.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state_dict/state_dict.h"
#include "train/history.h"
#include "train/settings.h"

namespace iris {

// The weights of the epoch with the lowest validation loss so far.
struct BestWeights {
  std::int64_t epoch = 0;
  StateDict state_dict;
};

// In Python a plain dict of these names: epoch, batch, loss_sum, model_state_dict, optimizer_state_dict, rng_state,
// best, config, history (docs/training.md; python_export/iris_export/checkpoint.py reads and writes the same).
struct Checkpoint {
  std::int64_t epoch = 0;  // epochs done
  std::int64_t batch = 0;  // batches done of the next epoch
  double loss_sum = 0;     // over the rows of those batches
  StateDict model;
  StateDict optimizer;   // FusedOptimizer::state
  at::Tensor rng_state;  // uint8: torch.get_rng_state() where that next epoch begins
  std::optional<BestWeights> best;
  TrainConfig config;
  std::vector<EpochRecord> history;  // one for each epoch done
};

// Python's torch.load(path, weights_only=True) reads the file, and torch.optim's load_state_dict takes its
// optimizer_state_dict. The file is replaced as a whole. Throws InputError("PATH: …").
void write_checkpoint(const Checkpoint& checkpoint, const std::string& path);

// Reads a checkpoint of either language, and compares all checksums. Throws FormatError("PATH: …") for a damaged file,
// for another one, and where the weights are not those of the configured model, a number is not finite, or two parts
// contradict each other. The optimizer's state and the random generator's are checked by Trainer::restore.
Checkpoint read_checkpoint(const std::string& path);

// What stands before a fault of the checkpoint in a message; for with_place().
inline std::string fault_place(const std::string& path) {
  return path + ": damaged, or not a checkpoint of a training run";
}

}  // namespace iris
