// iris predict: its options, and the two forms of the work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "inference/classifier.h"

namespace iris {

struct PredictOptions {
  std::string model;
  std::vector<std::string> sample;  // the features as typed
  std::string input;                // empty: one sample
  std::string output = "-";
  std::string input_format;   // "csv" or "ndjson"; empty: by the input's extension, else csv
  std::string output_format;  // the same; empty: by the output's extension, else the input's
  std::string on_error = "stop";
  std::optional<std::size_t> batch_size;  // Classifier::usual_batch_size
  std::optional<std::size_t> workers;     // as many as there are cores
  bool quiet = false;
  std::optional<int> threads;
  bool json = false;
  bool logits = false;
  bool probabilities = false;
  TypedNames names;
  ClassifierOptions classifier;
};

// Scores options.sample. Returns 0. Throws UsageError when it is not what the model takes.
int predict_sample(const PredictOptions& options, const Classifier& classifier);

// Scores the rows of options.input. Returns 0, or 3 when rows were skipped.
int predict_rows(const PredictOptions& options, const Classifier& classifier);

}  // namespace iris
