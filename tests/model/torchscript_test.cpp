// TorchScript modules that do what no classifier does.
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "error.h"
#include "model/classifier.h"
#include "model/company.h"
#include "support/errors.h"
#include "support/temp_file.h"
#include "tensor_file/zip_reader.h"

namespace iris {
namespace {

class TorchScript : public ::testing::Test {
 protected:
  // A saved module whose forward(self, x) has that body.
  Classifier open(const std::string& body, const std::string& iris_json = "", const ClassifierOptions& options = {}) {
    torch::jit::Module module("Net");
    module.register_parameter("weight", torch::ones({4, 3}), false);
    module.register_attribute("training", c10::BoolType::get(), true);
    module.define("def forward(self, x):\n" + body + "\n");
    torch::jit::ExtraFilesMap extra_files;
    if (!iris_json.empty()) {
      extra_files["iris.json"] = iris_json;
    }
    module.save(path_, extra_files);
    return Classifier::open(path_, options);
  }

  // Why the prediction of two rows fails, without the path.
  std::string error_of(const std::string& body, const std::string& iris_json = "") {
    const Classifier classifier = open(body, iris_json);
    return without_path(test::error_of<InputError>([&] { classifier.predict(std::vector<float>(8, 1.0F), 2); }));
  }

  std::string without_path(const std::string& message) const {
    return message.starts_with(path_ + ": ") ? message.substr(path_.size() + 2) : message;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "module.pt";
};

TEST_F(TorchScript, IsRun) {
  EXPECT_EQ(open("  return torch.matmul(x, self.weight)").predict(std::vector<float>{1, 2, 3, 4}, 1).outputs,
            (std::vector<float>{10, 10, 10}));
}

TEST_F(TorchScript, IsInEvalMode) {
  const auto logits = open("  y = torch.matmul(x, self.weight)\n  if self.training:\n    y = y * 100\n  return y")
                          .predict(std::vector<float>{1, 0, 0, 0}, 1)
                          .outputs;
  EXPECT_EQ(logits, (std::vector<float>{1, 1, 1}));
}

TEST_F(TorchScript, RunsWithoutGradOnEveryThread) {
  const Classifier classifier = open("  assert not torch.is_grad_enabled()\n  return torch.matmul(x, self.weight)");
  EXPECT_EQ(test::error_of<InputError>([&] { classifier.predict(std::vector<float>(4), 1); }), "");
  std::string on_another_thread = "not run";
  std::thread([&] {
    on_another_thread = test::error_of<InputError>([&] { classifier.predict(std::vector<float>(4), 1); });
  }).join();
  EXPECT_EQ(on_another_thread, "");
}

TEST_F(TorchScript, GetsFloatRowsOfThatShape) {
  const Classifier classifier =
      open("  assert x.size(0) == 2 and x.size(1) == 4 and x.dim() == 2\n  return torch.matmul(x, self.weight)", "",
           {.compares_rows = false});
  EXPECT_EQ(classifier.predict(std::vector<float>(8, 1), 2).outputs, std::vector<float>(6, 4));
}

TEST_F(TorchScript, MayGiveOtherFloatTypes) {
  const auto logits =
      open("  return torch.matmul(x, self.weight).double()").predict(std::vector<float>(4, 1), 1).outputs;
  EXPECT_EQ(logits, (std::vector<float>{4, 4, 4}));
}

TEST_F(TorchScript, ThatMultipliesWrongShapesIsToldOfInOneLine) {
  const std::string message = error_of("  return torch.matmul(x, x)");
  EXPECT_TRUE(message.starts_with("the model failed on 4 features: ")) << message;
  // Newer LibTorch names the operator first.
  EXPECT_TRUE(message.ends_with("mat1 and mat2 shapes cannot be multiplied (2x4 and 2x4)")) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST_F(TorchScript, ThatAssertsIsToldOfInOneLine) {
  const std::string message = error_of("  assert x.size(1) == 5, \"five, please\"\n  return x");
  EXPECT_TRUE(message.starts_with("the model failed on 4 features: ")) << message;
  EXPECT_NE(message.find("five, please"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST_F(TorchScript, ThatGivesNoTensorIsRefused) {
  const std::string message =
      ", not one tensor; export a module that returns the one to show, of shape (rows, classes)";
  EXPECT_EQ(error_of("  return (x, x)"), "the model gives Tuple[Tensor, Tensor]" + message);
  EXPECT_EQ(error_of("  return None"), "the model gives NoneType" + message);
  EXPECT_EQ(error_of("  return 5"), "the model gives int" + message);
  EXPECT_EQ(error_of("  return [x]"), "the model gives List[Tensor]" + message);
}

TEST_F(TorchScript, ThatGivesIntegersIsRefused) {
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight).long()"),
            "the model gives a tensor of int64; float numbers are needed, (rows, classes)");
}

TEST_F(TorchScript, ThatGivesOneNumberIsAskedForItsMeaning) {
  const std::string one =
      "the model gives one number for each row; say whether it is the logit of two classes (logits), the second "
      "class's "
      "probability (probabilities) or a value (values)";
  EXPECT_EQ(error_of("  return x[:, 0]"), one);
  EXPECT_EQ(error_of("  return x[:, :1]"), one);
  EXPECT_EQ(error_of("  return x[:, :1]", R"({"outputs":"values"})"), "");
}

TEST_F(TorchScript, ThatGivesOtherShapesIsRefused) {
  const std::string wanted = " for 2 rows; a classifier gives (rows, classes)";
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight).sum().view(1, 1, 1)"),
            "the model gives outputs of shape (1, 1, 1)" + wanted);
  EXPECT_EQ(error_of("  return x.unsqueeze(0)"), "the model gives outputs of shape (1, 2, 4)" + wanted);
}

TEST_F(TorchScript, ThatGivesNoFiniteLogitsIsRefused) {
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight) / 0"), "the model gives logits that are not finite");
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight) * float(\"nan\")"),
            "the model gives logits that are not finite");
}

TEST_F(TorchScript, ThatTakesTwoInputsIsToldOf) {
  torch::jit::Module module("Net");
  module.define("def forward(self, x, y):\n  return x + y\n");
  module.save(path_);
  EXPECT_EQ(
      without_path(test::error_of<InputError>([&] { Classifier::open(path_); })),
      "the model's forward takes 2 inputs (x, y); export a module that takes one tensor, of shape (rows, features)");
}

TEST_F(TorchScript, MayHaveMoreInputsThatNeedNoValue) {
  torch::jit::Module module("Net");
  module.define("def forward(self, x, scale: float = 2.0):\n  return x * scale\n");
  module.save(path_);
  EXPECT_EQ(Classifier::open(path_).predict(std::vector<float>{1, 3}, 1).outputs, (std::vector<float>{2, 6}));
}

TEST_F(TorchScript, TakesItsNamesFromIrisJson) {
  const Classifier classifier = open("  return torch.matmul(x, self.weight)",
                                     R"({"name":"mine","features":["a","b","c","d"],"labels":["p","q","r"],"more":1})");
  EXPECT_EQ(classifier.features(), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(classifier.labels(
                Predictions{.output_count = 3, .outputs = {}, .class_count = 3, .probabilities = {}, .best = {}}),
            (std::vector<std::string>{"p", "q", "r"}));
}

TEST_F(TorchScript, WithABadIrisJsonIsRefused) {
  const auto error_with = [&](const std::string& json) {
    return without_path(test::error_of<FormatError>([&] { open("  return x", json); }));
  };
  EXPECT_EQ(error_with("not json"), "iris.json: is not a JSON object");
  EXPECT_EQ(error_with("[]"), "iris.json: is not a JSON object");
  EXPECT_EQ(error_with(R"({"labels":"a"})"), "iris.json: labels: is not a list of names");
  EXPECT_EQ(error_with(R"({"features":[1]})"), "iris.json: features: is not a list of names");
  EXPECT_EQ(error_with(R"({"labels":["a","a"]})"), "iris.json: labels: has \"a\" twice");
}

TEST_F(TorchScript, WithTooFewLabelsInIrisJsonIsRefused) {
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight)", R"({"labels":["a","b"]})"),
            "the model has 3 classes, but there are 2 labels; name each class once");
}

TEST_F(TorchScript, ThatIsDamagedIsRefusedInOneLine) {
  open("  return torch.matmul(x, self.weight)");
  std::string bytes = test::read_file(path_);
  const ZipReader zip(std::as_bytes(std::span(bytes)));
  for (const ZipEntry& entry : zip.entries()) {
    if (entry.name.ends_with(".py")) {
      std::memset(const_cast<std::byte*>(entry.data.data()), 0xFF, entry.data.size());
    }
  }
  test::write_file(path_, bytes);
  const std::string message = without_path(test::error_of<FormatError>([&] { Classifier::open(path_); }));
  EXPECT_TRUE(message.starts_with("LibTorch cannot load this TorchScript: ")) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST_F(TorchScript, IsRunByOneThreadAtATimeIfItChangesItself) {
  const auto changes_itself = [this](const std::string& body) { return open(body).changes_itself(); };
  EXPECT_TRUE(changes_itself("  self.weight = torch.ones([4, 3])\n  return torch.matmul(x, self.weight)"));
  EXPECT_TRUE(changes_itself("  self.weight.add_(1)\n  return torch.matmul(x, self.weight)"));
  EXPECT_TRUE(changes_itself("  self.weight[0].copy_(x[0, :3])\n  return torch.matmul(x, self.weight)"));
  EXPECT_TRUE(
      changes_itself("  w = self.weight\n  if bool(x.sum() > 0):\n    w = self.weight.t().t()\n  w.mul_(2)\n"
                     "  return torch.matmul(x, w)"));
  EXPECT_TRUE(changes_itself("  x.add_(1)\n  return torch.matmul(x, self.weight)"));
}

TEST_F(TorchScript, IsRunByManyThreadsIfItChangesOnlyWhatItMade) {
  const auto changes_itself = [this](const std::string& body) { return open(body).changes_itself(); };
  EXPECT_FALSE(changes_itself("  return torch.relu_(torch.matmul(x, self.weight))"));
  EXPECT_FALSE(changes_itself("  y = torch.matmul(x, self.weight)\n  y[:, 0].add_(1)\n  return y"));
  EXPECT_FALSE(changes_itself("  parts = [x]\n  parts.append(x * 2)\n  return torch.matmul(parts[1], self.weight)"));
  EXPECT_FALSE(changes_itself(  // as batch norm in training
      "  if self.training:\n    self.weight.add_(1)\n  return torch.matmul(x, self.weight)"));
}

TEST_F(TorchScript, ThatWritesIntoItsInputLeavesTheCallersRows) {
  const Classifier classifier = open("  x.add_(1)\n  return x");
  const std::vector<float> rows = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(classifier.predict(rows, 2).outputs, (std::vector<float>{2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(rows, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(TorchScript, IsNotChangedByTheComparisonOfItsRows) {
  const std::string body = "  self.weight.add_(1)\n  return x + 0 * self.weight[0, 0]";
  const Classifier classifier = open(body + "\n  assert float(self.weight[0, 0]) < 4, \"called three times\"");
  const std::vector<float> rows = {1, 2, 3, 4, 5, 6, 7, 8};
  classifier.try_out(rows, 2);
  classifier.predict(rows, 2);
  EXPECT_EQ(classifier.predict(rows, 2).outputs, rows);
}

TEST_F(TorchScript, GivesEachThreadItsOwnAnswersThoughItChangesItself) {
  const Classifier classifier =
      open("  self.weight = x * 2\n  y = self.weight - 1\n  self.weight = y\n  return self.weight");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const std::vector<float> rows(400, static_cast<float>(thread));
      for (int i = 0; i < 200; ++i) {
        wrong +=
            classifier.predict(rows, 100).outputs != std::vector<float>(400, 2.0F * static_cast<float>(thread) - 1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(TorchScript, WhoseRowsDependOnEachOtherIsRefused) {
  const Classifier classifier = open("  return x - x.mean(0)");
  const std::string message =
      "the rows depend on each other: alone and beside 1 others a row has different answers (by 100.00 % of the "
      "largest); "
      "if N rows belong together, say so";
  for (int call = 0; call < 2; ++call) {  // and for ever
    EXPECT_EQ(without_path(test::error_of<RowsDepend>(
                  [&] { classifier.predict(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 9}, 2); })),
              message);
  }
  EXPECT_EQ(without_path(test::error_of<RowsDepend>([&] { classifier.predict(std::vector<float>(4), 1); })), message);
}

TEST_F(TorchScript, WhoseRowsDependOnEachOtherRunsWhereTheCallerKnowsWhichBelongTogether) {
  EXPECT_EQ(open("  return x - x.mean(0)", "", {.compares_rows = false})
                .predict(std::vector<float>{1, 2, 3, 4, 3, 4, 5, 6}, 2)
                .outputs,
            (std::vector<float>{-1, -1, -1, -1, 1, 1, 1, 1}));
}

TEST_F(TorchScript, ThatLooksLikeProbabilitiesIsToldOnce) {
  std::string told;
  const ClassifierOptions options = {.tell = [&](const std::string& note, const Choice& choice) {
    told += without_path(note) + " " + choice.value + "\n";
  }};
  const Classifier classifier = open("  return torch.softmax(x, 1)", "", options);
  classifier.predict(std::vector<float>{1, 2, 3, 4}, 1);
  classifier.predict(std::vector<float>{1, 2, 3, 4}, 1);
  EXPECT_EQ(told,
            "the model's outputs look like probabilities: each row's lie between 0 and 1 and add up to 1; softmax was "
            "applied to them probabilities\n");
}

TEST_F(TorchScript, OfFloat64IsToldOfWithTheDtypeThatHelps) {
  torch::jit::Module module("Net");
  module.register_parameter("weight", torch::ones({4, 3}, torch::kFloat64), false);
  module.define("def forward(self, x):\n  return torch.matmul(x, self.weight)\n");
  module.save(path_);
  const Classifier classifier = Classifier::open(path_);
  try {
    classifier.predict(std::vector<float>(4), 1);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with("; its weights are float64, and the rows float32")) << error.what();
    EXPECT_EQ(error.choice.value, "float32");
  }
  EXPECT_EQ(Classifier::open(path_, {.dtype = WeightDtype::kFloat32}).predict(std::vector<float>(4, 1), 1).outputs,
            (std::vector<float>{4, 4, 4}));
}

TEST_F(TorchScript, WithoutForwardIsToldOf) {
  torch::jit::Module module("Net");
  module.register_parameter("weight", torch::ones({4, 3}), false);
  module.define("def other(self, x):\n  return x\n");
  module.save(path_);
  EXPECT_EQ(
      without_path(test::error_of<InputError>([&] { Classifier::open(path_); })),
      "is a TorchScript module without a method called forward, and not an IrisNet; export a module that has one");
}

}  // namespace
}  // namespace iris
