// How well predictions agree with the true classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rows/predictions.h"

namespace iris {

// The figures of scikit-learn's accuracy_score, log_loss, precision_recall_fscore_support (with zero_division=0) and
// confusion_matrix, added up over any number of batches.
class Metrics {
 public:
  explicit Metrics(std::size_t class_count);

  // predictions: of classes, for labels.size() rows. labels: the true classes.
  void add(const Predictions& predictions, std::span<const std::int64_t> labels);

  std::size_t class_count() const { return class_count_; }
  std::uint64_t rows() const { return rows_; }
  std::uint64_t correct() const;
  double accuracy() const;  // 0 to 1
  double loss() const;      // the mean cross-entropy, in nats

  double precision(std::size_t label) const;
  double recall(std::size_t label) const;
  double f1(std::size_t label) const;
  std::uint64_t support(std::size_t label) const;    // rows of the class
  std::uint64_t predicted(std::size_t label) const;  // rows predicted to be of it
  std::uint64_t count(std::size_t truth, std::size_t prediction) const;

 private:
  std::size_t class_count_;
  std::vector<std::uint64_t> counts_;  // [truth, prediction]
  std::uint64_t rows_ = 0;
  double loss_sum_ = 0;
};

// How far predicted values are from the true ones: scikit-learn's mean_squared_error, mean_absolute_error and r2_score,
// added up over any number of batches.
class ValueMetrics {
 public:
  // values: one for each target.
  void add(std::span<const float> values, std::span<const float> targets);

  std::uint64_t rows() const { return rows_; }
  double mse() const;  // in the targets' unit, squared
  double mae() const;  // in the targets' unit
  // At most 1. Where all targets are alike, as scikit-learn: 1 if all values are right, else 0.
  double r2() const;

 private:
  std::uint64_t rows_ = 0;
  double squared_errors_ = 0;
  double absolute_errors_ = 0;
  double mean_ = 0;        // of the targets
  double deviations_ = 0;  // the sum of their squared deviations from the mean (Welford's algorithm)
};

}  // namespace iris
