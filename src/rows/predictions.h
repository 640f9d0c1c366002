// A model's answers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace iris {

// The answers for N rows, row by row.
struct Predictions {
  std::size_t class_count = 0;
  std::vector<float> logits;         // [N, class_count]
  std::vector<float> probabilities;  // [N, class_count]: softmax of the logits, each row's sum 1
  std::vector<std::size_t> best;     // [N]: the class of the highest logit, the first of several

  std::span<const float> logits_of(std::size_t row) const {
    return std::span(logits).subspan(row * class_count, class_count);
  }
  std::span<const float> probabilities_of(std::size_t row) const {
    return std::span(probabilities).subspan(row * class_count, class_count);
  }
};

}  // namespace iris
