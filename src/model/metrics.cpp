#include "model/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace iris {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The cross-entropy of logits. A single one is the second class's, beside a first one of 0.
double loss_of(std::span<const float> logits, std::size_t truth) {
  const auto logit = [&](std::size_t i) {
    const bool is_first_of_single = logits.size() == 1 && i == 0;
    return is_first_of_single ? 0.0 : static_cast<double>(logits.size() == 1 ? logits[0] : logits[i]);
  };
  const std::size_t classes = std::max<std::size_t>(logits.size(), 2);
  double largest = logit(0);
  for (std::size_t i = 1; i < classes; ++i) {
    largest = std::max(largest, logit(i));
  }
  double sum = 0;
  for (std::size_t i = 0; i < classes; ++i) {
    sum += std::exp(logit(i) - largest);
  }
  return std::log(sum) + largest - logit(truth);
}

// The same of the true class's probability. As in scikit-learn, 0 counts as the smallest difference beside 1.
double loss_of(float probability) {
  return -std::log(static_cast<double>(std::max(probability, std::numeric_limits<float>::epsilon())));
}

}  // namespace

Metrics::Metrics(std::size_t class_count) : class_count_(class_count), counts_(class_count * class_count) {}

void Metrics::add(const Predictions& predictions, std::span<const std::int64_t> labels) {
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto truth = static_cast<std::size_t>(labels[row]);
    loss_sum_ += predictions.meaning == Outputs::kProbabilities ? loss_of(predictions.probabilities_of(row)[truth])
                                                                : loss_of(predictions.outputs_of(row), truth);
    ++counts_[truth * class_count_ + predictions.best[row]];
  }
  rows_ += labels.size();
}

std::uint64_t Metrics::count(std::size_t truth, std::size_t prediction) const {
  return counts_[truth * class_count_ + prediction];
}

std::uint64_t Metrics::support(std::size_t label) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < class_count_; ++i) {
    sum += count(label, i);
  }
  return sum;
}

std::uint64_t Metrics::predicted(std::size_t label) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < class_count_; ++i) {
    sum += count(i, label);
  }
  return sum;
}

std::uint64_t Metrics::correct() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < class_count_; ++i) {
    sum += count(i, i);
  }
  return sum;
}

double Metrics::accuracy() const { return ratio(correct(), rows_); }
double Metrics::loss() const { return rows_ == 0 ? 0.0 : loss_sum_ / static_cast<double>(rows_); }
double Metrics::precision(std::size_t label) const { return ratio(count(label, label), predicted(label)); }
double Metrics::recall(std::size_t label) const { return ratio(count(label, label), support(label)); }
double Metrics::f1(std::size_t label) const {
  return ratio(2 * count(label, label), support(label) + predicted(label));
}

void ValueMetrics::add(std::span<const float> values, std::span<const float> targets) {
  for (std::size_t row = 0; row < targets.size(); ++row) {
    const double target = targets[row];
    const double error = static_cast<double>(values[row]) - target;
    squared_errors_ += error * error;
    absolute_errors_ += std::abs(error);
    const double from_mean = target - mean_;
    mean_ += from_mean / static_cast<double>(++rows_);
    deviations_ += from_mean * (target - mean_);
  }
}

double ValueMetrics::mse() const { return rows_ == 0 ? 0.0 : squared_errors_ / static_cast<double>(rows_); }
double ValueMetrics::mae() const { return rows_ == 0 ? 0.0 : absolute_errors_ / static_cast<double>(rows_); }
double ValueMetrics::r2() const {
  if (deviations_ == 0) {
    return squared_errors_ == 0 ? 1.0 : 0.0;
  }
  return 1 - squared_errors_ / deviations_;
}

}  // namespace iris
