#include "serve/served_classifier.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <string>
#include <vector>

#include "error.h"
#include "model/company.h"
#include "serve/refusal.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/temp_file.h"

namespace iris::serve {
namespace {

constexpr const char* kTwoFeatures = R"({"features": ["a", "b"], "labels": ["x", "y"]})";

class ServedClassifierTest : public ::testing::Test {
 protected:
  // A TorchScript module whose forward(self, x) has that body.
  ServedClassifier serve(const std::string& body, const std::string& iris_json = kTwoFeatures) {
    torch::jit::Module module("Net");
    module.register_parameter("calls", torch::zeros({1}), false);
    module.define("def forward(self, x):\n" + body + "\n");
    torch::jit::ExtraFilesMap extra_files;
    if (!iris_json.empty()) {
      extra_files["iris.json"] = iris_json;
    }
    module.save(path_, extra_files);
    return {Classifier::open(path_, options_), 8, [this](const std::string& note) { told_ += note + "\n"; }};
  }

  ClassifierOptions options_;
  std::string told_;
  test::TempFolder folder_;
  std::string path_ = folder_ / "module.pt";
};

std::string refused(const ServedClassifier& model, const std::vector<float>& rows, std::size_t count) {
  return refusal([&] {
    Predictions predictions;
    model.predict(rows, count, predictions);
  });
}

TEST_F(ServedClassifierTest, AnswersAsItsClassifier) {
  const auto flowers = test::flowers();
  const ServedClassifier model(Classifier::open(test::fixture("iris_net.pt")), 64, [](const std::string&) {});
  Predictions predictions;
  model.predict(flowers, 150, predictions);
  EXPECT_EQ(predictions.outputs, Classifier::open(test::fixture("iris_net.pt")).predict(flowers, 150).outputs);
}

TEST_F(ServedClassifierTest, GivesARowTheSameBitsAloneAndInCompany) {
  const auto flowers = test::flowers();
  const ServedClassifier model(Classifier::open(test::fixture("iris_net.pt")), 64, [](const std::string&) {});
  Predictions together;
  model.predict(flowers, 150, together);
  for (const std::size_t count : {1U, 2U, 3U}) {
    for (std::size_t row = 0; row + count <= 150; row += count) {
      Predictions alone;
      model.predict(std::span(flowers).subspan(4 * row, 4 * count), count, alone);
      for (std::size_t i = 0; i < 3 * count; ++i) {
        EXPECT_EQ(alone.outputs[i], together.outputs[3 * row + i]) << row;
      }
    }
  }
}

TEST_F(ServedClassifierTest, KnowsTheNumbersOfUnnamedClassesOnceItIsWarm) {
  EXPECT_EQ(serve("  return x", R"({"features": ["a", "b"]})").known_labels(), (std::vector<std::string>{"0", "1"}));
}

TEST_F(ServedClassifierTest, DoesNotWarmUpAModelThatNamesNoFeatures) {
  EXPECT_EQ(serve("  assert False\n  return x", "").known_labels(), std::vector<std::string>());
}

TEST_F(ServedClassifierTest, IsNotMadeOfAModelThatDoesNotTakeItsFeatures) {
  EXPECT_EQ(test::error_of<InputError>([&] { serve("  return torch.matmul(x, torch.ones([3, 2]))"); }),
            path_ + ": the model failed on 2 features: mat1 and mat2 shapes cannot be multiplied (1x2 and 3x2)");
}

TEST_F(ServedClassifierTest, IsMadeOfAModelThatRefusesMadeUpRows) {
  const ServedClassifier model = serve("  assert bool((x > 7).all()), \"too small\"\n  return x");
  EXPECT_EQ(told_, path_ +
                       ": the model failed on 2 features: AssertionError: too small (on made-up rows; it is served, "
                       "and not warmed up)\n");
  EXPECT_FALSE(model.is_warm());
  Predictions predictions;
  model.predict(std::vector<float>{8, 9}, 1, predictions);
  EXPECT_EQ(predictions.best, std::vector<std::size_t>{1});
}

TEST_F(ServedClassifierTest, IsMadeOfAModelThatIsUndefinedOnZeros) {
  EXPECT_TRUE(serve("  return torch.log(x)").is_warm());
  EXPECT_TRUE(serve("  assert bool((x <= 1).all())\n  return x").is_warm());
}

TEST_F(ServedClassifierTest, IsNotMadeOfAModelWhoseRowsDependOnEachOther) {
  EXPECT_EQ(test::error_of<InputError>([&] { serve("  return x - x.mean(0)"); }),
            path_ +
                ": the rows depend on each other: alone and beside 7 others a row has different answers (by 100.00 % "
                "of the largest); a server's rows come from many callers, so it cannot be served; iris predict "
                "--batch-size N takes groups of N");
}

TEST_F(ServedClassifierTest, SaysThatAModelWithoutNamesAnswersNoMadeUpRows) {
  torch::jit::Module module("Net");
  module.register_parameter("weight", torch::ones({2, 3}), false);
  module.define("def forward(self, x):\n  assert bool((x > 7).all())\n  return torch.matmul(x, self.weight)\n");
  module.save(path_);
  const ServedClassifier model(Classifier::open(path_), 8, [this](const std::string& note) { told_ += note + "\n"; });
  EXPECT_TRUE(model.features().empty());
  EXPECT_TRUE(told_.starts_with(path_ + ": the model failed on 3 features: ")) << told_;
  EXPECT_TRUE(told_.ends_with(" (on made-up rows; it is served, and not warmed up)\n")) << told_;
}

TEST_F(ServedClassifierTest, ComparesRealRowsWhereMadeUpOnesHadNoAnswers) {
  const ServedClassifier model = serve("  assert bool((x > 7).all())\n  return x - x.mean(0)");
  Predictions predictions;
  model.predict(std::vector<float>{8, 9}, 1, predictions);
  EXPECT_THROW(model.predict(std::vector<float>{8, 9, 11, 12}, 2, predictions), RowsDepend);
  EXPECT_FALSE(model.is_alive());
}

TEST_F(ServedClassifierTest, FindsTheNumberOfFeaturesWhereNobodyNamesThem) {
  const ServedClassifier model(Classifier::open(test::fixture("no_names.pt")), 8, [](const std::string&) {});
  EXPECT_EQ(model.features(), (std::vector<std::string>{"x0", "x1", "x2", "x3"}));
  EXPECT_TRUE(model.is_warm());
}

TEST_F(ServedClassifierTest, AnswersInValues) {
  options_.outputs = Outputs::kValues;
  const ServedClassifier model =
      serve("  return x * 2", R"({"features": ["a", "b"], "labels": ["twice a", "twice b"]})");
  Predictions predictions;
  model.predict(std::vector<float>{1, 2}, 1, predictions);
  std::string text;
  model.append_answers(predictions, 0, 1, text);
  EXPECT_EQ(text, "{\"values\":{\"twice a\":2,\"twice b\":4}}\n");
}

TEST_F(ServedClassifierTest, IsQuickOnlyWherePassesAreBounded) {
  EXPECT_FALSE(serve("  y = x\n  while bool(y.sum() > 1e9):\n    y = y / 2\n  return y").is_quick);
}

TEST_F(ServedClassifierTest, RefusesRowsWhoseLogitsAreNotFinite) {
  EXPECT_EQ(refused(serve("  return x * 1e30"), {1e20F, 1}, 1),
            "400 the model gives logits that are not finite for these rows");
}

TEST_F(ServedClassifierTest, IsAliveAfterRowsWhoseLogitsAreNotFinite) {
  const ServedClassifier model = serve("  return x * 1e30");
  refused(model, {1e20F, 1}, 1);
  EXPECT_TRUE(model.is_alive());
}

TEST_F(ServedClassifierTest, RefusesAWidthThatAModelWithoutNamesDoesNotTake) {
  const ServedClassifier model = serve("  return torch.matmul(x, torch.ones([4, 2]))", "");
  Predictions predictions;
  EXPECT_THROW(model.predict(std::vector<float>{1, 2, 3}, 1, predictions), RowsError);  // the model's fault, perhaps
  model.predict(std::vector<float>{1, 2, 3, 4}, 1, predictions);
  EXPECT_EQ(
      refused(model, {1, 2, 3}, 1),
      "400 " + path_ + ": the model failed on 3 features: mat1 and mat2 shapes cannot be multiplied (1x3 and 4x2)");
}

TEST_F(ServedClassifierTest, LetsAnErrorOfAModelWithNamesPass) {
  const ServedClassifier model = serve("  assert bool((x < 50).all()), \"too large\"\n  return x");
  Predictions predictions;
  EXPECT_EQ(test::error_of<RowsError>([&] { model.predict(std::vector<float>{99, 1}, 1, predictions); }),
            path_ + ": the model failed on 2 features: AssertionError: too large");
}

TEST_F(ServedClassifierTest, NamesTheOptionForFewerRowsWhereThereIsNoMemory) {
  EXPECT_EQ(test::error_of<OutOfMemory>(
                [&] { serve("  assert x.size(0) < 2, \"CUDA out of memory. Tried to allocate 2 GiB\"\n  return x"); }),
            path_ + ": out of memory on cpu with 4 rows at once; pass fewer (--max-batch-rows)");
}

TEST_F(ServedClassifierTest, NamesTheDeviceWhereThereIsNoMemoryForOneRow) {
  const ServedClassifier model =
      serve("  assert False, \"CUDA out of memory. Tried to allocate 2 GiB\"\n  return x", "");
  Predictions predictions;
  EXPECT_EQ(test::error_of<OutOfMemory>([&] { model.predict(std::vector<float>{1, 2}, 1, predictions); }),
            path_ + ": out of memory on cpu with 1 row; use another device (--device)");
}

TEST_F(ServedClassifierTest, IsDeadOnceTheModelFailsForRowsThatItAnswered) {
  const ServedClassifier model = serve(
      "  if bool((x > 50).any()):\n    self.calls.add_(1)\n  assert int(self.calls) == 0, \"broken\"\n  return x");
  EXPECT_TRUE(model.is_alive());
  Predictions predictions;
  EXPECT_THROW(model.predict(std::vector<float>{99, 1}, 1, predictions), InputError);
  EXPECT_FALSE(model.is_alive());
}

}  // namespace
}  // namespace iris::serve
