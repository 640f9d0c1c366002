// iris predict: its options, and the two forms of the work.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/model_options.h"
#include "model/classifier.h"
#include "rows/row_source.h"

namespace iris {

struct PredictOptions {
  std::string model;
  std::vector<std::string> sample;  // the features as typed
  std::string input;                // empty: one sample
  std::string output = "-";
  std::string input_format;   // "csv" or "ndjson"
  std::string output_format;  // the same
  std::string on_error = "stop";
  std::optional<std::size_t> batch_size;  // Classifier::usual_batch_size
  std::size_t workers = std::max(1U, std::thread::hardware_concurrency());
  bool quiet = false;
  std::optional<int> threads;
  bool json = false;
  bool logits = false;
  bool probabilities = false;
  TypedNames names;
  ClassifierOptions classifier;
  bool allows_tf32 = false;
};

// Scores options.sample. Returns 0. Throws UsageError when it is not what the model takes.
int predict_sample(const PredictOptions& options);

// The rows of options.input, by those names of the features.
inline std::unique_ptr<RowSource> open_rows(const PredictOptions& options, const std::vector<std::string>& features) {
  return std::make_unique<RowSource>(options.input,
                                     options.input_format == "ndjson" ? RowFormat::kNdjson : RowFormat::kCsv, features,
                                     /*skips_unreadable=*/options.on_error == "skip");
}

// Scores those rows. ahead: the rows, which are used if the model calls its features as they do; may be nullptr.
// Returns 0, or 3 when rows were skipped.
int predict_rows(const PredictOptions& options, RowSource* ahead);

}  // namespace iris
