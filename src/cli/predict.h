// iris predict: its options, and the two forms of the work.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/model_options.h"
#include "rows/row_format.h"

namespace iris {

// What a bad row does to the run.
enum class OnError { kStop, kSkip };

struct PredictOptions {
  ModelOptions model;
  std::vector<std::string> sample;  // the features as typed
  std::string input;                // empty: one sample
  std::string output = "-";
  std::optional<RowFormat> input_format;   // else by the name of the input, else CSV
  std::optional<RowFormat> output_format;  // else by the name of the output, else that of the input
  std::vector<std::string> copy;           // columns of the input, in front of the answers
  OnError on_error = OnError::kStop;
  std::optional<std::size_t> batch_size;  // else Classifier::usual_batch_size
  std::size_t workers = std::max(1U, std::thread::hardware_concurrency());
  bool quiet = false;
  bool json = false;
  bool logits = false;
  bool probabilities = false;
};

// The options, with both formats. Throws UsageError where the options contradict each other, or where the output would
// replace an input.
PredictOptions settled(PredictOptions options);

// Scores options.sample. Returns the exit status. Throws UsageError when the sample is not what the model takes.
int predict_sample(const PredictOptions& options);

// Scores the rows of options.input. options: settled. Returns the exit status: kDone or kRowsSkipped.
int predict_rows(const PredictOptions& options);

}  // namespace iris
