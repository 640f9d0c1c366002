// iris evaluate: its options, and the work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/model_options.h"
#include "rows/row_request.h"

namespace iris {

struct EvaluateOptions {
  ModelOptions model;
  std::string data;
  std::string label_column = kUsualLabelColumn;
  std::optional<std::size_t> batch_size;  // else Classifier::usual_batch_size
  bool json = false;
  bool quiet = false;
};

// Scores all rows and prints how well the answers agree with the label column. Returns the exit status.
int evaluate_model(const EvaluateOptions& options);

}  // namespace iris
