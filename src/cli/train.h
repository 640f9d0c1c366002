// iris train: its options, and the work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/train_config.h"

namespace iris {

struct TrainOptions {
  std::string data;
  std::string output;
  TypedConfig typed;
  std::optional<std::string> checkpoint_dir;
  std::optional<std::int64_t> checkpoint_every;  // epochs
  std::optional<std::int64_t> keep;              // all
  std::optional<std::string> resume;             // a file or a folder
  std::optional<std::string> history;            // a CSV file
  bool json = false;
  std::string device = "auto";
  bool allows_tf32 = false;
  int threads = 1;
  std::int64_t log_every = 10;
  bool quiet = false;
};

// Trains and writes the model. Returns 0.
int train_model(const TrainOptions& options);

}  // namespace iris
