// iris evaluate: its options, and the work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/model_options.h"
#include "model/classifier.h"

namespace iris {

struct EvaluateOptions {
  std::string model;
  std::string data;
  std::string label_column = "species";
  std::optional<std::size_t> batch_size;  // Classifier::usual_batch_size
  bool json = false;
  bool quiet = false;
  std::optional<int> threads;
  TypedNames names;
  ClassifierOptions classifier;
  bool allows_tf32 = false;
};

// Scores all rows and prints how well the answers agree with the label column. Returns 0.
int evaluate_model(const EvaluateOptions& options);

}  // namespace iris
