// Against scikit-learn: tests/python/predict/test_evaluate.py.
#include "model/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace iris {
namespace {

// Three classes; the third is never predicted, and the second never the truth.
Metrics example() {
  Metrics metrics(3);
  const std::vector<float> logits = {2, 0, 0, 2, 0, 0, 0, 2, 0, 2, 0, 0};
  metrics.add(logits, std::vector<std::int64_t>{0, 0, 0, 2});
  return metrics;
}

TEST(Metrics, CountsTruthAgainstPrediction) {
  const Metrics metrics = example();
  EXPECT_EQ(metrics.rows(), 4U);
  EXPECT_EQ(metrics.count(0, 0), 2U);
  EXPECT_EQ(metrics.count(0, 1), 1U);
  EXPECT_EQ(metrics.count(2, 0), 1U);
  EXPECT_EQ(metrics.count(2, 2), 0U);
  EXPECT_DOUBLE_EQ(metrics.accuracy(), 0.5);
}

TEST(Metrics, GivesPrecisionRecallAndF1) {
  const Metrics metrics = example();
  EXPECT_DOUBLE_EQ(metrics.precision(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.recall(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(metrics.f1(0), 2.0 / 3);
  EXPECT_EQ(metrics.support(0), 3U);
}

TEST(Metrics, AreZeroWhereThereIsNothingToDivideBy) {
  const Metrics metrics = example();
  EXPECT_EQ(metrics.recall(1), 0.0);
  EXPECT_EQ(metrics.precision(2), 0.0);
  EXPECT_EQ(metrics.f1(2), 0.0);
  EXPECT_EQ(Metrics(2).accuracy(), 0.0);
}

TEST(Metrics, LossIsTheMeanCrossEntropy) {
  const double right = std::log(std::exp(2.0) + 2) - 2;
  EXPECT_DOUBLE_EQ(example().loss(), (2 * right + 2 * (right + 2)) / 4);
}

TEST(Metrics, LossOfLargeLogitsDoesNotOverflow) {
  Metrics metrics(2);
  metrics.add(std::vector<float>{1e30F, -1e30F}, std::vector<std::int64_t>{1});
  EXPECT_DOUBLE_EQ(metrics.loss(), 2.0 * static_cast<double>(1e30F));
}

TEST(Metrics, TakesTheFirstOfEqualLogits) {
  Metrics metrics(3);
  metrics.add(std::vector<float>{1, 1, 1}, std::vector<std::int64_t>{0});
  EXPECT_EQ(metrics.correct(), 1U);
}

}  // namespace
}  // namespace iris
