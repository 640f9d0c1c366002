// A model without LibTorch: its logits for the classes x and y are a row's first two features.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "serve/protocol/model.h"

namespace iris::serve {

class FakeModel : public Model {
 public:
  explicit FakeModel(std::vector<std::string> features = {"a", "b", "c", "d"})
      : Model(std::move(features), {"x", "y"}) {
    is_quick = true;
  }

  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override {
    predictions = {.output_count = 2, .outputs = {}, .class_count = 2, .probabilities = {}, .best = {}};
    for (std::size_t row = 0; row < row_count; ++row) {
      const auto values = rows.subspan(row * 4, 4);
      if (values[3] < 0) {
        throw std::runtime_error("a row that breaks its pass");
      }
      const float probability = 1 / (1 + std::exp(values[1] - values[0]));
      predictions.outputs.insert(predictions.outputs.end(), {values[0], values[1]});
      predictions.probabilities.insert(predictions.probabilities.end(), {probability, 1 - probability});
      predictions.best.push_back(values[0] >= values[1] ? 0 : 1);
    }
  }

  bool is_alive() const override { return true; }
};

}  // namespace iris::serve
