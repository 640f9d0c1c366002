// A model's answers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace iris {

// What the numbers are that a model gives for a row.
enum class Outputs {
  kLogits,         // one for each class; a single one is the second class's of two
  kProbabilities,  // the same
  kValues,         // no classes: they are the answer (regression)
};

// The answers for N rows, row by row.
struct Predictions {
  Outputs meaning = Outputs::kLogits;
  std::size_t output_count = 0;      // numbers for a row
  std::vector<float> outputs;        // [N, output_count]
  std::size_t class_count = 0;       // 0 for values; 2 for a single output
  std::vector<float> probabilities;  // [N, class_count]: softmax of logits, sigmoid of a single one
  std::vector<std::size_t> best;     // [N]: the class of the highest probability, the first of several; none for values

  // How many labels the answers have: of the classes, or of the values.
  std::size_t label_count() const { return meaning == Outputs::kValues ? output_count : class_count; }

  std::span<const float> outputs_of(std::size_t row) const {
    return std::span(outputs).subspan(row * output_count, output_count);
  }
  std::span<const float> probabilities_of(std::size_t row) const {
    return std::span(probabilities).subspan(row * class_count, class_count);
  }
};

}  // namespace iris
