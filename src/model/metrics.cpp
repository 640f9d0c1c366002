#include "model/metrics.h"

#include <algorithm>
#include <cmath>

namespace iris {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Metrics::Metrics(std::size_t class_count) : class_count_(class_count), counts_(class_count * class_count) {}

void Metrics::add(std::span<const float> logits, std::span<const std::int64_t> labels) {
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto scores = logits.subspan(row * class_count_, class_count_);
    const auto best = std::max_element(scores.begin(), scores.end());
    const auto truth = static_cast<std::size_t>(labels[row]);
    double sum = 0;
    for (const float score : scores) {
      sum += std::exp(static_cast<double>(score) - static_cast<double>(*best));
    }
    loss_sum_ += std::log(sum) + static_cast<double>(*best) - static_cast<double>(scores[truth]);
    ++counts_[truth * class_count_ + static_cast<std::size_t>(best - scores.begin())];
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

}  // namespace iris
