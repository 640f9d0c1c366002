// TorchScript modules that do what no classifier does.
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <cstring>
#include <thread>

#include "error.h"
#include "model/classifier.h"
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
  EXPECT_EQ(open("  return torch.matmul(x, self.weight)").predict(std::vector<float>{1, 2, 3, 4}, 1).logits,
            (std::vector<float>{10, 10, 10}));
}

TEST_F(TorchScript, IsInEvalMode) {
  const auto logits = open("  y = torch.matmul(x, self.weight)\n  if self.training:\n    y = y * 100\n  return y")
                          .predict(std::vector<float>{1, 0, 0, 0}, 1)
                          .logits;
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
  EXPECT_EQ(
      error_of("  assert x.size(0) == 2 and x.size(1) == 4 and x.dim() == 2\n  return torch.matmul(x, self.weight)"),
      "");
}

TEST_F(TorchScript, MayGiveOtherFloatTypes) {
  const auto logits =
      open("  return torch.matmul(x, self.weight).double()").predict(std::vector<float>(4, 1), 1).logits;
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
  const std::string message = "the model gives no float tensor; a classifier gives logits (rows, classes)";
  EXPECT_EQ(error_of("  return (x, x)"), message);
  EXPECT_EQ(error_of("  return None"), message);
  EXPECT_EQ(error_of("  return 5"), message);
  EXPECT_EQ(error_of("  return [x]"), message);
}

TEST_F(TorchScript, ThatGivesIntegersIsRefused) {
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight).long()"),
            "the model gives no float tensor; a classifier gives logits (rows, classes)");
}

TEST_F(TorchScript, ThatGivesOtherShapesIsRefused) {
  const std::string wanted = " for 2 rows; a classifier gives (rows, classes), of 2 classes or more";
  EXPECT_EQ(error_of("  return torch.matmul(x, self.weight).sum()"), "the model gives outputs of shape ()" + wanted);
  EXPECT_EQ(error_of("  return x[:, 0]"), "the model gives outputs of shape (2,)" + wanted);
  EXPECT_EQ(error_of("  return x[:, :1]"), "the model gives outputs of shape (2, 1)" + wanted);
  EXPECT_EQ(error_of("  return x[:1]"), "the model gives outputs of shape (1, 4)" + wanted);
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
  const Classifier classifier = Classifier::open(path_);
  const std::string message =
      without_path(test::error_of<InputError>([&] { classifier.predict(std::vector<float>(4), 1); }));
  EXPECT_TRUE(message.starts_with("the model failed on 4 features: forward() is missing value for argument 'y'"))
      << message;
}

TEST_F(TorchScript, TakesItsNamesFromIrisJson) {
  const Classifier classifier = open("  return torch.matmul(x, self.weight)",
                                     R"({"name":"mine","features":["a","b","c","d"],"labels":["p","q","r"],"more":1})");
  EXPECT_EQ(classifier.features(), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(classifier.labels(3), (std::vector<std::string>{"p", "q", "r"}));
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

}  // namespace
}  // namespace iris
