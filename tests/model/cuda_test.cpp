// The same answers on a GPU. script/test --cuda runs these.
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

#include "model/classifier.h"
#include "model/device.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using test::fixture;

class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) {
      GTEST_SKIP() << "needs a CUDA device";
    }
    allow_tf32(false);
  }

  // A TorchScript file of a perceptron, 13 features to 3 classes.
  std::string perceptron(std::int64_t width) {
    torch::manual_seed(0);
    torch::jit::Module module("Net");
    module.register_parameter("first", at::randn({13, width}) / std::sqrt(13.0), false);
    module.register_parameter("second", at::randn({width, 3}) / std::sqrt(static_cast<double>(width)), false);
    module.define(
        "def forward(self, x):\n  return torch.matmul(torch.relu(torch.matmul(x, self.first)), self.second)\n");
    module.save(path_);
    return path_;
  }

  static std::vector<float> random_rows(std::size_t count, std::size_t features) {
    torch::manual_seed(1);
    const at::Tensor rows = at::randn({static_cast<std::int64_t>(count * features)});
    return {rows.const_data_ptr<float>(), rows.const_data_ptr<float>() + rows.numel()};
  }

  // Of the largest logit, since a sum's order differs.
  static void expect_near(const std::vector<float>& logits, const std::vector<float>& expected, float tolerance) {
    ASSERT_EQ(logits.size(), expected.size());
    float largest = 1;
    float worst = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      worst = std::max(worst, std::abs(logits[i] - expected[i]));
    }
    EXPECT_LE(worst, tolerance * largest);
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "module.pt";
};

TEST_F(Cuda, GivesTheCpusLogits) {
  for (const char* file : {"iris_net.pt", "iris_net.ts.pt", "legacy.pt", "checkpoint.pt", "scripted.pt", "traced.pt",
                           "frozen.pt", "no_names.pt"}) {
    const auto rows = test::flowers();
    const auto expected = Classifier::open(fixture(file), {.device = "cpu"}).predict(rows, 150);
    const auto answer = Classifier::open(fixture(file), {.device = "cuda"}).predict(rows, 150);
    SCOPED_TRACE(file);
    expect_near(answer.outputs, expected.outputs, 1e-5F);
    EXPECT_EQ(answer.best, expected.best);
  }
}

TEST_F(Cuda, GivesTheCpusLogitsOfManyRowsAndAWideModel) {
  const auto rows = random_rows(20'000, 13);
  const std::string model = perceptron(1024);
  expect_near(Classifier::open(model, {.device = "cuda"}).predict(rows, 20'000).outputs,
              Classifier::open(model, {.device = "cpu"}).predict(rows, 20'000).outputs, 1e-5F);
}

TEST_F(Cuda, RoundsMoreOnlyWhereTf32IsAllowed) {
  const auto rows = random_rows(1000, 13);
  const Classifier classifier = Classifier::open(perceptron(1024), {.device = "cuda"});
  const auto exact = classifier.predict(rows, 1000).outputs;
  allow_tf32(true);
  expect_near(classifier.predict(rows, 1000).outputs, exact, 5e-3F);
  allow_tf32(false);
  EXPECT_EQ(classifier.predict(rows, 1000).outputs, exact);
}

TEST_F(Cuda, GivesHalfPrecisionAsFarOffAsTheCpuDoes) {
  const auto rows = test::flowers();
  const auto expected = Classifier::open(fixture("iris_net.pt"), {.device = "cpu"}).predict(rows, 150).outputs;
  for (const auto& [dtype, tolerance] :
       {std::pair(WeightDtype::kBFloat16, 0.03F), std::pair(WeightDtype::kFloat16, 0.003F)}) {
    const Classifier classifier = Classifier::open(fixture("iris_net.pt"), {.device = "cuda", .dtype = dtype});
    expect_near(classifier.predict(rows, 150).outputs, expected, tolerance);
  }
}

TEST_F(Cuda, GivesManyThreadsWhatItGivesOne) {
  const Classifier classifier = Classifier::open(perceptron(256), {.device = "cuda"});
  std::vector<std::vector<float>> inputs;
  std::vector<std::vector<float>> expected;
  for (std::size_t i = 0; i < 8; ++i) {
    inputs.push_back(random_rows(4096 + 64 * i, 13));
    expected.push_back(classifier.predict(inputs[i], 4096 + 64 * i).outputs);
  }
  std::vector<std::thread> threads;
  std::vector<int> wrong(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int pass = 0; pass < 50; ++pass) {
        wrong[i] += classifier.predict(inputs[i], 4096 + 64 * i).outputs == expected[i] ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(inputs.size()));
}

TEST_F(Cuda, SaysWhichDevicesThereAre) {
  const std::string message = test::error_of<InputError>([] { resolve_device("cuda:99"); });
  EXPECT_TRUE(message.starts_with("device cuda:99: there is no such device; there ")) << message;
}

// A table to read; nothing is asserted of a time.
TEST_F(Cuda, ThroughputByBatchSize) {
  constexpr std::size_t kRows = 1 << 20;
  const auto rate = [](const Classifier& classifier, const std::vector<float>& rows, std::size_t features,
                       std::size_t batch) {
    Predictions predictions;
    const auto pass = [&] {
      for (std::size_t start = 0; start < kRows; start += batch) {
        classifier.predict(std::span(rows).subspan(start * features, batch * features), batch, predictions);
      }
    };
    classifier.predict(std::span(rows).first(batch * features), batch, predictions);  // warm
    const auto start = std::chrono::steady_clock::now();
    pass();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return static_cast<double>(kRows) / took.count() / 1e6;
  };
  std::printf("one thread, million rows a second     CPU    CUDA  CUDA bfloat16\n");
  const std::string wide = perceptron(1024);
  for (const auto& [name, model, features] : {std::tuple("IrisNet", fixture("iris_net.pt"), std::size_t{4}),
                                              std::tuple("13-1024-3", wide, std::size_t{13})}) {
    const auto rows = random_rows(kRows, features);
    for (std::size_t batch = 256; batch <= kRows; batch *= 4) {
      std::printf(
          "%-10s batches of %7zu  %9.2f %7.2f %7.2f\n", name, batch,
          rate(Classifier::open(model, {.device = "cpu"}), rows, features, batch),
          rate(Classifier::open(model, {.device = "cuda"}), rows, features, batch),
          rate(Classifier::open(model, {.device = "cuda", .dtype = WeightDtype::kBFloat16}), rows, features, batch));
    }
  }
}

}  // namespace
}  // namespace iris
