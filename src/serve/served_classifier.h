// A Classifier as the model of iris serve.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include "model/classifier.h"
#include "serve/protocol/model.h"

namespace iris::serve {

// The only file of this folder that needs LibTorch, to link: its object is left out of programs that do not use it.
class ServedClassifier : public Model {
 public:
  // Warms the model up with passes of 1 and of `batch_rows` rows; sets is_quick by how long the latter take. A model
  // without feature names is not warmed up: how many features it takes is not known. Throws what Classifier::predict
  // throws.
  ServedClassifier(Classifier classifier, std::size_t batch_rows);

  // Throws RequestError 400 where the logits are not finite, or a model without feature names does not take so many;
  // else what Classifier::predict throws.
  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override;

  bool is_alive() const override;

 private:
  void warm_up(std::size_t batch_rows);

  Classifier classifier_;
  mutable std::atomic<bool> is_lost_ = false;
};

}  // namespace iris::serve
