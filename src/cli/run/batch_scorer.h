// The rows of a part of an input through a model: what predict and evaluate share.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
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
  // model: its path, for messages. label_count: of classes or values, what every answer has to have.
  BatchScorer(const Classifier& classifier, std::string model, std::size_t label_count, std::size_t batch_size)
      : classifier_(classifier), model_(std::move(model)), label_count_(label_count), batch_size_(batch_size) {}

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
  std::size_t label_count_;
  std::size_t batch_size_;
};

// What the model's answers look like.
struct AnswerShape {
  std::vector<std::string> labels;  // empty: not known, as the first rows have no answer
  Outputs meaning;
  bool has_single_output;
};

// Where the file and the options do not say it, the answers to the first rows show it. batch_size: where the user typed
// one, the source gives rows in such groups from now on, unless rows cannot depend on each other.
AnswerShape shape_of_answers(const Classifier& classifier, RowSource& source, std::optional<std::size_t> batch_size);

}  // namespace iris
