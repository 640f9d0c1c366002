// A Classifier as the model of iris serve.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "model/classifier.h"
#include "serve/protocol/model.h"

namespace iris::serve {

// The only file of this folder that needs LibTorch, to link: its object is left out of programs that do not use it.
class ServedClassifier : public Model {
 public:
  // Warms the model up with made-up rows, in passes of 1 and of `batch_rows`, and compares them alone and in company;
  // sets is_quick by how long they take. Where nobody names the features, the model's weights may show how many there
  // are: then they are called x0, x1, …. Made-up rows on which the model throws its own exceptions, or gives what is
  // not finite, are told, and no error: it is not warm then. Throws what Classifier::predict throws.
  ServedClassifier(Classifier classifier, std::size_t batch_rows, const std::function<void(const std::string&)>& tell);

  // Throws RequestError 400 where the outputs are not finite, or the rows have another number of features than those
  // that were answered before; else what Classifier::predict throws.
  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override;

  bool is_alive() const override;
  bool is_warm() const override { return is_warm_; }

 private:
  void start(std::size_t batch_rows, const std::function<void(const std::string&)>& tell);
  void find_features();
  bool answers_together(int kind) const;
  bool warm_up(std::size_t batch_rows, const std::function<void(const std::string&)>& tell);

  Classifier classifier_;
  bool is_warm_ = false;
  int warm_kind_ = 0;  // of made-up rows, which it answered
  mutable std::atomic<bool> is_lost_ = false;
  mutable std::atomic<std::size_t> answered_width_ = 0;  // of a model without feature names
};

}  // namespace iris::serve
