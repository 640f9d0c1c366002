#include "cli/run/batch_scorer.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "error.h"

namespace iris {
namespace {

// How many of the part's good rows there are; before_bad: before its first bad one.
std::size_t good_count(const Rows& rows, bool before_bad) {
  return before_bad && !rows.bad.empty() ? rows.bad[0].number : rows.count - rows.bad.size();
}

// The numbers of the good rows among all.
std::vector<std::size_t> good_numbers(const Rows& rows) {
  std::vector<std::size_t> numbers;
  auto bad = rows.bad.begin();
  for (std::size_t number = 0; number < rows.count; ++number) {
    if (bad != rows.bad.end() && bad->number == number) {
      ++bad;
    } else {
      numbers.push_back(number);
    }
  }
  return numbers;
}

}  // namespace

void BatchScorer::score(const RowSource& source, RowSource::Part& part, bool before_bad, Predictions& predictions,
                        const std::function<void()>& begin, const Use& use) const {
  try {
    begin();
    score_all(source.features().size(), part, before_bad, predictions, use);
  } catch (const RowsError&) {
    set_failing_aside(source, part, before_bad, predictions);
    begin();
    score_all(source.features().size(), part, before_bad, predictions, use);
  }
}

void BatchScorer::score_all(std::size_t features, const RowSource::Part& part, bool before_bad,
                            Predictions& predictions, const Use& use) const {
  const std::size_t good = good_count(part.rows, before_bad);
  for (std::size_t first = 0; first < good; first += batch_size_) {
    const std::size_t count = std::min(batch_size_, good - first);
    predict(std::span(part.rows.features).subspan(first * features, count * features), count, predictions);
    use(first, count, predictions);
  }
}

// only_first: the first failing row is enough.
void BatchScorer::set_failing_aside(const RowSource& source, RowSource::Part& part, bool only_first,
                                    Predictions& predictions) const {
  Rows& rows = part.rows;
  const std::size_t features = source.features().size();
  const std::vector<std::size_t> numbers = good_numbers(rows);
  const std::vector<std::string> places = source.places(part);
  std::vector<std::size_t> answered;  // good rows
  std::vector<BadRow> failing;
  const std::function<void(std::size_t, std::size_t)> sift = [&](std::size_t first, std::size_t last) {
    if (only_first && !failing.empty()) {
      return;
    }
    try {
      predict(std::span(rows.features).subspan(first * features, (last - first) * features), last - first, predictions);
      for (std::size_t row = first; row < last; ++row) {
        answered.push_back(row);
      }
    } catch (const RowsError& error) {
      if (last - first == 1) {
        failing.push_back({numbers[first], places[numbers[first]] + error.what(), error.choice});
      } else {
        sift(first, first + (last - first) / 2);
        sift(first + (last - first) / 2, last);
      }
    }
  };
  const std::size_t count = good_count(rows, only_first);
  for (std::size_t first = 0; first < count; first += batch_size_) {
    sift(first, std::min(first + batch_size_, count));
  }
  for (std::size_t to = 0; to < answered.size(); ++to) {
    const std::size_t from = answered[to];
    std::copy_n(rows.features.begin() + static_cast<std::ptrdiff_t>(from * features), features,
                rows.features.begin() + static_cast<std::ptrdiff_t>(to * features));
    if (!rows.labels.empty()) {
      rows.labels[to] = rows.labels[from];
    }
    if (!rows.targets.empty()) {
      rows.targets[to] = rows.targets[from];
    }
  }
  rows.features.resize(answered.size() * features);
  rows.labels.resize(std::min(rows.labels.size(), answered.size()));
  rows.targets.resize(std::min(rows.targets.size(), answered.size()));
  rows.bad.insert(rows.bad.end(), std::make_move_iterator(failing.begin()), std::make_move_iterator(failing.end()));
  std::sort(rows.bad.begin(), rows.bad.end(), [](const BadRow& a, const BadRow& b) { return a.number < b.number; });
}

void BatchScorer::predict(std::span<const float> rows, std::size_t count, Predictions& predictions) const {
  classifier_.predict(rows, count, predictions);
  const std::size_t labels = predictions.label_count();
  if (label_count_ == 0) {
    throw InputError(model_ + ": the first rows have no answer to show how many classes there are; name them",
                     {Choice::Of::kLabels});
  }
  if (labels != label_count_) {
    throw InputError(model_ + ": the model gives " + std::to_string(labels) + " classes, and gave " +
                     std::to_string(label_count_) + " before");
  }
}

AnswerShape shape_of_answers(const Classifier& classifier, RowSource& source, std::optional<std::size_t> batch_size) {
  if (batch_size && !classifier.has_independent_rows()) {
    source.set_group(*batch_size);
  }
  const std::vector<std::string>& labels = classifier.known_labels();
  const Outputs meaning = classifier.known_outputs().value_or(Outputs::kLogits);
  const std::size_t features = source.features().size();
  const AnswerShape known = {labels, meaning, false};
  if ((labels.size() > 2 && meaning != Outputs::kValues) || features == 0) {
    return known;
  }
  const Rows rows = source.first_rows();
  const auto answer = [&](std::size_t first, std::size_t count) -> std::optional<AnswerShape> {
    try {
      const Predictions predictions =
          classifier.try_out(std::span(rows.features).subspan(first * features, count * features), count);
      return AnswerShape{classifier.labels(predictions), predictions.meaning, predictions.output_count == 1};
    } catch (const RowsError&) {
      return std::nullopt;
    }
  };
  const std::size_t count = rows.features.size() / features;
  std::optional<AnswerShape> shape;
  if (count > 0) {
    shape = answer(0, std::min(count, batch_size.value_or(classifier.usual_batch_size())));
  }
  for (std::size_t row = 0; row < count && !shape; ++row) {
    shape = answer(row, 1);
  }
  return shape.value_or(known);
}

}  // namespace iris
