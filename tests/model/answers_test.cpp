#include "model/answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

Predictions filled(Outputs meaning, std::size_t output_count, const std::vector<float>& outputs) {
  Predictions predictions{
      .meaning = meaning, .output_count = output_count, .outputs = outputs, .probabilities = {}, .best = {}};
  fill_in_answers(predictions);
  return predictions;
}

TEST(Answers, OfASingleLogitAreItsSigmoid) {
  const Predictions answers = filled(Outputs::kLogits, 1, {2, -3, 0, 200, -200});
  EXPECT_EQ(answers.class_count, 2U);
  EXPECT_EQ(answers.best, (std::vector<std::size_t>{1, 0, 0, 1, 0}));
  EXPECT_NEAR(answers.probabilities[1], 1 / (1 + std::exp(-2.0)), 1e-7);
  EXPECT_NEAR(answers.probabilities[2], 1 / (1 + std::exp(-3.0)), 1e-7);
  EXPECT_EQ(answers.probabilities_of(3)[1], 1.0F);
  EXPECT_EQ(answers.probabilities_of(4)[1], 0.0F);
}

TEST(Answers, OfProbabilitiesAreTheseAsTheyAre) {
  const Predictions answers = filled(Outputs::kProbabilities, 3, {0.2F, 0.5F, 0.3F, 0.9F, 0.9F, 0.1F});
  EXPECT_EQ(answers.probabilities, answers.outputs);
  EXPECT_EQ(answers.best, (std::vector<std::size_t>{1, 0}));
}

TEST(Answers, OfASingleProbabilityAreOfTwoClasses) {
  const Predictions answers = filled(Outputs::kProbabilities, 1, {0.75F, 0.25F});
  EXPECT_EQ(answers.probabilities, (std::vector<float>{0.25F, 0.75F, 0.75F, 0.25F}));
  EXPECT_EQ(answers.best, (std::vector<std::size_t>{1, 0}));
}

TEST(Answers, OfProbabilitiesThatAreNoneAreRefused) {
  EXPECT_EQ(test::error_of<InputError>([] { filled(Outputs::kProbabilities, 2, {0.5F, 1.75F}); }),
            "the model gives 1.7500, which is not a probability; say what its outputs are");
}

TEST(Answers, OfProbabilitiesOffByRoundingAreCutOff) {
  EXPECT_EQ(filled(Outputs::kProbabilities, 2, {1.0001F, -0.0001F}).probabilities, (std::vector<float>{1, 0}));
}

TEST(Answers, OfValuesHaveNoClasses) {
  const Predictions answers = filled(Outputs::kValues, 2, {1, 2, 3, 4});
  EXPECT_EQ(answers.class_count, 0U);
  EXPECT_TRUE(answers.best.empty());
  EXPECT_EQ(answers.label_count(), 2U);
}

TEST(DoubtAboutLogits, IsRaisedByRowsThatAddUpToOne) {
  EXPECT_NE(doubt_about_logits(filled(Outputs::kLogits, 2, {0.25F, 0.75F, 1, 0})), "");
  EXPECT_EQ(doubt_about_logits(filled(Outputs::kLogits, 2, {0.25F, 0.75F, 1, 0.5F})), "");
  EXPECT_EQ(doubt_about_logits(filled(Outputs::kLogits, 2, {1.5F, -0.5F})), "");
  EXPECT_EQ(doubt_about_logits(filled(Outputs::kProbabilities, 2, {0.25F, 0.75F})), "");
}

}  // namespace
}  // namespace iris
