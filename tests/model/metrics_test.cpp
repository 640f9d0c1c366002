// Against scikit-learn: tests/python/predict/test_evaluate.py.
#include "model/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/answers.h"

namespace iris {
namespace {

Predictions of_logits(std::size_t classes, const std::vector<float>& logits) {
  Predictions predictions{.output_count = classes, .outputs = logits, .probabilities = {}, .best = {}};
  fill_in_answers(predictions);
  return predictions;
}

// Three classes; the third is never predicted, and the second never the truth.
Metrics example() {
  Metrics metrics(3);
  const std::vector<float> logits = {2, 0, 0, 2, 0, 0, 0, 2, 0, 2, 0, 0};
  metrics.add(of_logits(3, logits), std::vector<std::int64_t>{0, 0, 0, 2});
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
  metrics.add(of_logits(2, {1e30F, -1e30F}), std::vector<std::int64_t>{1});
  EXPECT_DOUBLE_EQ(metrics.loss(), 2.0 * static_cast<double>(1e30F));
}

TEST(Metrics, TakesTheFirstOfEqualLogits) {
  Metrics metrics(3);
  metrics.add(of_logits(3, {1, 1, 1}), std::vector<std::int64_t>{0});
  EXPECT_EQ(metrics.correct(), 1U);
}

TEST(Metrics, LossOfASingleLogitIsThatOfItsSigmoid) {
  Metrics metrics(2);
  metrics.add(of_logits(1, {2, -1}), std::vector<std::int64_t>{1, 1});
  EXPECT_NEAR(metrics.loss(), (std::log1p(std::exp(-2.0)) + std::log1p(std::exp(1.0))) / 2, 1e-12);
  EXPECT_EQ(metrics.correct(), 1U);
}

TEST(Metrics, LossOfProbabilitiesIsTheirLogarithm) {
  Predictions predictions{.meaning = Outputs::kProbabilities,
                          .output_count = 2,
                          .outputs = {0.25F, 0.75F, 1, 0},
                          .probabilities = {},
                          .best = {}};
  fill_in_answers(predictions);
  Metrics metrics(2);
  metrics.add(predictions, std::vector<std::int64_t>{1, 1});
  EXPECT_NEAR(metrics.loss(),
              -(std::log(0.75) + std::log(static_cast<double>(std::numeric_limits<float>::epsilon()))) / 2, 1e-12);
}

TEST(ValueMetrics, AreScikitLearns) {  // mean_squared_error, mean_absolute_error, r2_score
  ValueMetrics metrics;
  metrics.add(std::vector<float>{2.5F, 0}, std::vector<float>{3, -0.5F});
  metrics.add(std::vector<float>{2, 8}, std::vector<float>{2, 7});
  EXPECT_EQ(metrics.rows(), 4U);
  EXPECT_NEAR(metrics.mse(), 0.375, 1e-12);
  EXPECT_NEAR(metrics.mae(), 0.5, 1e-12);
  EXPECT_NEAR(metrics.r2(), 0.9486081370449679, 1e-12);
}

TEST(ValueMetrics, OfTargetsThatAreAllAlikeAreZeroOrOne) {
  ValueMetrics right;
  right.add(std::vector<float>{2, 2}, std::vector<float>{2, 2});
  EXPECT_EQ(right.r2(), 1.0);
  ValueMetrics wrong;
  wrong.add(std::vector<float>{2, 3}, std::vector<float>{2, 2});
  EXPECT_EQ(wrong.r2(), 0.0);
}

}  // namespace
}  // namespace iris
