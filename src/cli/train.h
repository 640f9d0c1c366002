// iris train: its options, and the work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/device_name.h"
#include "train/settings.h"

namespace iris {

struct TrainOptions {
  std::string data;
  std::string output;
  TypedConfig typed;
  std::vector<std::string> features;  // IrisNet's four columns, in its order; empty: their usual names
  std::vector<std::string> labels;    // its three classes, in its order; empty: their usual names
  std::optional<std::string> checkpoint_dir;
  std::optional<std::int64_t> checkpoint_every;  // epochs
  std::optional<std::int64_t> keep;              // checkpoints; else all
  std::optional<std::string> resume;             // a checkpoint, or a folder of them
  bool resumes_folder = false;                   // which of them
  std::optional<std::string> history;            // a CSV file
  bool json = false;
  DeviceName device;
  bool allows_tf32 = false;
  int threads = 1;
  std::int64_t log_every = 10;
  bool quiet = false;
};

// The options, with resumes_folder; that folder is also checkpoint_dir, where none was typed. An output that names
// standard output is "-". Throws UsageError where an output would replace an input or another output, or where an
// option needs another one.
TrainOptions settled(TrainOptions options);

// Trains and writes the model. Returns the exit status.
int train_model(const TrainOptions& options);

}  // namespace iris
