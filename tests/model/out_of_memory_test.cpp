// What a model does for which memory does not suffice, or whose device fails: TorchScript modules that throw CUDA's
// errors, on the CPU.
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <numeric>
#include <thread>

#include "model/classifier.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

constexpr const char* kOutOfMemory = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has";

class OutOfMemoryTest : public ::testing::Test {
 protected:
  // Gives x times weight for at most so many rows, else that error.
  Classifier open(int most_rows, const char* error = kOutOfMemory, const ClassifierOptions& options = {}) {
    torch::jit::Module module("Net");
    module.register_parameter("weight", at::arange(12, at::kFloat).view({4, 3}), false);
    module.define("def forward(self, x):\n  assert x.size(0) <= " + std::to_string(most_rows) + ", \"" + error +
                  "\"\n  return torch.matmul(x, self.weight)\n");
    module.save(path_);
    return Classifier::open(path_, options);
  }

  static std::vector<float> rows(std::size_t count) {
    std::vector<float> values(4 * count);
    std::iota(values.begin(), values.end(), 0.0F);
    return values;
  }

  std::string error_of(const Classifier& classifier, std::size_t count) const {
    const std::string message = test::error_of<InputError>([&] { classifier.predict(rows(count), count); });
    return message.starts_with(path_ + ": ") ? message.substr(path_.size() + 2) : message;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "module.pt";
};

TEST_F(OutOfMemoryTest, SendsTheRowsInTwoHalvesWithTheSameAnswers) {
  for (const std::size_t count : {1000U, 999U}) {
    const Predictions whole = open(1000).predict(rows(count), count);
    const Predictions halved = open(500).predict(rows(count), count);
    EXPECT_EQ(halved.outputs, whole.outputs);
    EXPECT_EQ(halved.probabilities, whole.probabilities);
    EXPECT_EQ(halved.best, whole.best);
    EXPECT_EQ(halved.class_count, whole.class_count);
  }
}

TEST_F(OutOfMemoryTest, SendsLaterRowsInHalvesAtOnce) {
  const Classifier classifier = open(500);
  classifier.predict(rows(1000), 1000);
  // More than twice as many as the module takes: had these been tried whole, and then halved, they would have failed.
  EXPECT_EQ(classifier.predict(rows(1700), 1700).best.size(), 1700U);
}

TEST_F(OutOfMemoryTest, SaysWhatToChooseWhereHalfIsTooMuch) {
  EXPECT_EQ(error_of(open(499), 1000), "out of memory on cpu with 500 rows at once; pass fewer");
  try {
    open(499).predict(rows(1000), 1000);
  } catch (const OutOfMemory& error) {
    EXPECT_EQ(error.choice.of, Choice::Of::kRowsAtOnce);
  }
}

TEST_F(OutOfMemoryTest, RemembersNoSizeThatWasTooMuch) {
  const Classifier failing = open(499);
  EXPECT_NE(error_of(failing, 1000), "");
  EXPECT_EQ(failing.predict(rows(800), 800).best.size(), 800U);  // 400 and 400, and not at once
}

TEST_F(OutOfMemoryTest, SaysThatOneRowIsTooMuch) {
  EXPECT_EQ(error_of(open(0), 1), "out of memory on cpu with 1 row; use another device");
}

TEST_F(OutOfMemoryTest, OfTheHostIsTheSame) {
  EXPECT_EQ(error_of(open(1, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."), 2), "");
}

TEST_F(OutOfMemoryTest, OfManyThreadsLosesNoRows) {
  const auto expected = open(1000).predict(rows(1000), 1000).outputs;
  const Classifier classifier = open(500);
  std::vector<std::vector<float>> answers(4);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] { answer = classifier.predict(rows(1000), 1000).outputs; });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& answer : answers) {
    EXPECT_EQ(answer, expected);
  }
}

TEST_F(OutOfMemoryTest, IsNotALostDevice) {
  const std::string error = "CUDA error: device-side assert triggered";
  EXPECT_EQ(error_of(open(1, error.c_str()), 2),
            "cpu failed, and answers nothing more: AssertionError: " + error + "; start again");
  EXPECT_THROW(open(1, error.c_str()).predict(rows(2), 2), DeviceLost);
}

}  // namespace
}  // namespace iris
