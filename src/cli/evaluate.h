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
  std::optional<std::size_t> batch_size;  // else Classifier::usual_batch_size
  bool json = false;
  bool quiet = false;
  std::optional<int> threads;
  TypedNames names;
  ClassifierOptions classifier;
  bool allows_tf32 = false;
};

// The options, with the names put into `classifier`. Throws UsageError.
EvaluateOptions settled(EvaluateOptions options);

// Scores all rows and prints how well the answers agree with the label column. Returns the exit status.
int evaluate_model(const EvaluateOptions& options);

}  // namespace iris
