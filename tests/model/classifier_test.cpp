// Any model file gives the answers that Python gives.
#include "model/classifier.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numeric>
#include <thread>

#include "error.h"
#include "model/file/model_names.h"
#include "model/iris_net.h"
#include "support/errors.h"
#include "support/golden.h"

namespace iris {
namespace {

using test::fixture;
using test::GoldenLogits;

ClassifierOptions with_key(const std::string& key) {
  ClassifierOptions options;
  options.key = key;
  return options;
}

ClassifierOptions with_hidden(std::int64_t hidden) {
  ClassifierOptions options;
  options.hidden = hidden;
  return options;
}

ClassifierOptions with_names(const std::vector<std::string>& features, const std::vector<std::string>& labels) {
  ClassifierOptions options;
  options.features = features;
  options.labels = labels;
  return options;
}

struct GoldenCase {
  const char* name;  // in golden.json
  const char* file;
  ClassifierOptions options = {};
};

void PrintTo(const GoldenCase& each, std::ostream* out) { *out << each.name; }

class GoldenClassifier : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(GoldenClassifier, GivesPythonsLogits) {
  const GoldenLogits golden(GetParam().name);
  const std::size_t rows = golden.features.size() / 4;
  const Predictions predictions =
      Classifier::open(fixture(GetParam().file), GetParam().options).predict(golden.features, rows);
  ASSERT_EQ(predictions.outputs.size(), golden.logits.size());
  for (std::size_t i = 0; i < golden.logits.size(); ++i) {
    const float tolerance = 1e-6F * std::max(1.0F, std::abs(golden.logits[i]));
    EXPECT_NEAR(predictions.outputs[i], golden.logits[i], tolerance) << i;
  }
}

// The order of a float32 sum depends on the number of rows, so the last bits may differ.
TEST_P(GoldenClassifier, GivesTheSameForOneRowAtATime) {
  const GoldenLogits golden(GetParam().name);
  const Classifier classifier = Classifier::open(fixture(GetParam().file), GetParam().options);
  for (std::size_t row = 0; row < golden.features.size() / 4; ++row) {
    const auto logits = classifier.predict(std::span(golden.features).subspan(4 * row, 4), 1).outputs;
    const auto expected = std::span(golden.logits).subspan(row * logits.size(), logits.size());
    const float largest = std::abs(*std::max_element(expected.begin(), expected.end(),
                                                     [](float a, float b) { return std::abs(a) < std::abs(b); }));
    for (std::size_t i = 0; i < logits.size(); ++i) {
      EXPECT_NEAR(logits[i], expected[i], 1e-6F * std::max(1.0F, largest)) << row;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Classifier, GoldenClassifier,
    ::testing::Values(GoldenCase{"iris_net.pt", "iris_net.pt"}, GoldenCase{"iris_net.ts.pt", "iris_net.ts.pt"},
                      GoldenCase{"plain_dict.pt", "plain_dict.pt"}, GoldenCase{"checkpoint.pt", "checkpoint.pt"},
                      GoldenCase{"data_parallel.pt", "data_parallel.pt"}, GoldenCase{"compiled.pt", "compiled.pt"},
                      GoldenCase{"legacy.pt", "legacy.pt"}, GoldenCase{"scripted.pt", "scripted.pt"},
                      GoldenCase{"traced.pt", "traced.pt"}, GoldenCase{"frozen.pt", "frozen.pt"},
                      GoldenCase{"train_mode.pt", "train_mode.pt"}, GoldenCase{"no_names.pt", "no_names.pt"},
                      GoldenCase{"wide_hidden.pt", "wide_hidden.pt", with_hidden(32)},
                      GoldenCase{"two_models.pt netG", "two_models.pt", with_key("netG")},
                      GoldenCase{"two_models.pt netD", "two_models.pt", with_key("netD")}));

TEST(Classifier, GivesOneHundredAndFiftyGoldenRows) {
  EXPECT_EQ(GoldenLogits("iris_net.pt").logits.size(), 450U);
  EXPECT_EQ(GoldenLogits("iris_net.ts.pt").logits.size(), 450U);
}

TEST(Classifier, GivesTheSoftmaxOfItsLogits) {
  const auto features = test::flowers();
  const Predictions predictions = Classifier::open(fixture("iris_net.pt")).predict(features, 150);
  for (std::size_t row = 0; row < 150; ++row) {
    double total = 0;
    for (const float logit : predictions.outputs_of(row)) {
      total += std::exp(static_cast<double>(logit));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(predictions.probabilities_of(row)[i],
                  std::exp(static_cast<double>(predictions.outputs_of(row)[i])) / total, 1e-6);
    }
    EXPECT_NEAR(
        std::accumulate(predictions.probabilities_of(row).begin(), predictions.probabilities_of(row).end(), 0.0), 1.0,
        1e-6);
  }
}

TEST(Classifier, GivesTheSameAgainAndAgainThoughTheModuleWasSavedInTrainMode) {
  const Classifier classifier = Classifier::open(fixture("train_mode.pt"));
  const auto features = test::flowers();
  const auto first = classifier.predict(features, 150).outputs;
  EXPECT_EQ(classifier.predict(features, 150).outputs, first);
}

TEST(Classifier, NamesIrisNetsFeaturesAndLabels) {
  const Classifier classifier = Classifier::open(fixture("iris_net.pt"));
  EXPECT_EQ(classifier.features(), iris_features());
  EXPECT_EQ(classifier.labels(
                Predictions{.output_count = 3, .outputs = {}, .class_count = 3, .probabilities = {}, .best = {}}),
            iris_labels());
}

TEST(Classifier, TakesNamesFromATorchScriptsIrisJson) {
  const Classifier classifier = Classifier::open(fixture("traced.pt"));
  EXPECT_EQ(classifier.features(), iris_features());
  EXPECT_EQ(classifier.labels(
                Predictions{.output_count = 3, .outputs = {}, .class_count = 3, .probabilities = {}, .best = {}}),
            iris_labels());
}

TEST(Classifier, NumbersTheClassesThatNothingNames) {
  const Classifier classifier = Classifier::open(fixture("no_names.pt"));
  EXPECT_TRUE(classifier.features().empty());
  EXPECT_TRUE(classifier.known_labels().empty());
  EXPECT_EQ(classifier.labels(
                Predictions{.output_count = 3, .outputs = {}, .class_count = 3, .probabilities = {}, .best = {}}),
            (std::vector<std::string>{"0", "1", "2"}));
}

TEST(Classifier, LetsOptionsWinOverTheFilesNames) {
  const Classifier classifier =
      Classifier::open(fixture("traced.pt"), with_names({"a", "b", "c", "d"}, {"x", "y", "z"}));
  EXPECT_EQ(classifier.features(), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(classifier.labels(
                Predictions{.output_count = 3, .outputs = {}, .class_count = 3, .probabilities = {}, .best = {}}),
            (std::vector<std::string>{"x", "y", "z"}));
}

TEST(Classifier, RefusesAWrongNumberOfLabels) {
  const Classifier classifier = Classifier::open(fixture("iris_net.pt"), with_names({}, {"x", "y"}));
  EXPECT_EQ(test::error_of<InputError>([&] { classifier.predict(std::vector<float>(4), 1); }),
            fixture("iris_net.pt") + ": the model has 3 classes, but there are 2 labels; name each class once");
}

TEST(Classifier, RefusesAWrongNumberOfFeatures) {
  for (const char* file : {"iris_net.pt", "iris_net.ts.pt"}) {
    const Classifier classifier = Classifier::open(fixture(file));
    EXPECT_EQ(test::error_of<InputError>([&] { classifier.predict(std::vector<float>(5), 1); }),
              fixture(file) + ": the model takes 4 features, not 5");
  }
}

TEST(Classifier, RefusesAWrongNumberOfFeaturesOfAModelThatNamesNone) {
  const Classifier classifier = Classifier::open(fixture("no_names.pt"));
  const std::string message = test::error_of<InputError>([&] { classifier.predict(std::vector<float>(5), 1); });
  EXPECT_TRUE(message.starts_with(fixture("no_names.pt") + ": the model failed on 5 features: ")) << message;
  // Newer LibTorch names the operator first.
  EXPECT_TRUE(message.ends_with("mat1 and mat2 shapes cannot be multiplied (1x5 and 4x16)")) << message;
}

TEST(Classifier, RefusesAStateDictOfAnotherShape) {
  const std::string message = test::error_of<InputError>([] { Classifier::open(fixture("wide_hidden.pt")); });
  EXPECT_TRUE(message.starts_with(fixture("wide_hidden.pt") +
                                  ": the state_dict does not fit the model:\n"
                                  "  shape mismatch: fc1.weight is (32, 4) in the file, (16, 4) in the model\n"))
      << message;
}

TEST(Classifier, RefusesStateDictOptionsForATorchScript) {
  const std::string message =
      fixture("iris_net.ts.pt") + ": is a TorchScript module; a key or a width is for state_dicts only; leave it out";
  EXPECT_EQ(test::error_of<UsageError>([] { Classifier::open(fixture("iris_net.ts.pt"), with_key("model")); }),
            message);
  EXPECT_EQ(test::error_of<UsageError>([] { Classifier::open(fixture("iris_net.ts.pt"), with_hidden(16)); }), message);
}

TEST(Classifier, SaysThatAFileIsMissing) {
  EXPECT_EQ(test::error_of<FormatError>([] { Classifier::open("/no/such/model.pt"); }),
            "/no/such/model.pt: No such file or directory");
}

TEST(Classifier, PredictsFromManyThreadsAtOnce) {
  const Classifier classifier = Classifier::open(fixture("iris_net.ts.pt"));
  const auto features = test::flowers();
  const auto expected = classifier.predict(features, 150).outputs;
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> answers(4);
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        answer = classifier.predict(features, 150).outputs;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& answer : answers) {
    EXPECT_EQ(answer, expected);
  }
}

}  // namespace
}  // namespace iris
