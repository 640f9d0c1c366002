// The rows of a part of an input through a model: what predict and evaluate share.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/classifier.h"
#include "rows/row_source.h"

namespace iris {

// Any number of threads may use it at once.
class BatchScorer {
 public:
  // model: its path, for messages. class_count: what every answer has to have.
  BatchScorer(const Classifier& classifier, std::string model, std::size_t class_count, std::size_t batch_size)
      : classifier_(classifier), model_(std::move(model)), class_count_(class_count), batch_size_(batch_size) {}

  // One call's answers: for `count` of the part's good rows, from the one of number `first` on.
  using Use = std::function<void(std::size_t first, std::size_t count, const Predictions& predictions)>;

  // Calls begin(), and then use() for all good rows of a parsed part, batch by batch; before_bad: only for those before
  // its first bad row. A row on which the model fails becomes a bad row of the part; then both are called anew.
  // predictions: memory to use. Throws InputError where the model fails whatever the rows.
  void score(const RowSource& source, RowSource::Part& part, bool before_bad, Predictions& predictions,
             const std::function<void()>& begin, const Use& use) const;

 private:
  void score_all(std::size_t features, const RowSource::Part& part, bool before_bad, Predictions& predictions,
                 const Use& use) const;
  void set_failing_aside(const RowSource& source, RowSource::Part& part, bool only_first,
                         Predictions& predictions) const;
  void predict(std::span<const float> rows, std::size_t count, Predictions& predictions) const;

  const Classifier& classifier_;
  std::string model_;
  std::size_t class_count_;
  std::size_t batch_size_;
};

// The model's labels; where it names none, an answer shows how many there are: to the first row that it can answer,
// else to zeros.
std::vector<std::string> labels_of(const Classifier& classifier, RowSource& source);

}  // namespace iris
