// On the CPU, which has one stream and no pinned memory, and on CUDA where there is a device.
#include "model/device_passes.h"

#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/torch.h>

#include <atomic>
#include <functional>
#include <thread>

namespace iris {
namespace {

class FunctionNetwork : public Network {
 public:
  explicit FunctionNetwork(std::function<at::Tensor(const at::Tensor&)> function) : function_(std::move(function)) {}
  at::Tensor forward(const at::Tensor& features) override { return function_(features); }
  void to(at::ScalarType /*dtype*/) override {}

 private:
  std::function<at::Tensor(const at::Tensor&)> function_;
};

std::vector<c10::Device> devices() {
  std::vector<c10::Device> all = {c10::kCPU};
  if (torch::cuda::is_available()) {
    all.emplace_back(c10::kCUDA, 0);
  }
  return all;
}

TEST(DevicePasses, GiveTheNetworkTheRowsOnTheDeviceAndBringItsAnswerBack) {
  for (const c10::Device device : devices()) {
    FunctionNetwork network([device](const at::Tensor& features) {
      EXPECT_EQ(features.device(), device);
      return features * 2;
    });
    DevicePasses passes(device);
    const at::Tensor rows = at::arange(12, at::kFloat).view({3, 4});
    EXPECT_TRUE(passes.run(network, rows, at::kFloat).equal(rows * 2));
  }
}

TEST(DevicePasses, ConvertOnTheWay) {
  for (const c10::Device device : devices()) {
    FunctionNetwork network([](const at::Tensor& features) {
      EXPECT_EQ(features.scalar_type(), at::kBFloat16);
      return features.t();
    });
    DevicePasses passes(device);
    const at::Tensor rows = at::rand({5, 4});
    const at::Tensor answer = passes.run(network, rows, at::kBFloat16);
    EXPECT_TRUE(answer.is_cpu() && answer.is_contiguous());
    EXPECT_TRUE(answer.equal(rows.to(at::kBFloat16).to(at::kFloat).t()));
  }
}

TEST(DevicePasses, LeaveWhatIsNoFloatAsItIs) {
  DevicePasses passes(c10::kCPU);
  FunctionNetwork undefined([](const at::Tensor&) { return at::Tensor(); });
  EXPECT_FALSE(passes.run(undefined, at::ones({1, 4}), at::kFloat).defined());
  FunctionNetwork whole([](const at::Tensor& features) { return features.to(at::kLong); });
  EXPECT_EQ(passes.run(whole, at::ones({1, 4}), at::kFloat).scalar_type(), at::kLong);
}

TEST(DevicePasses, GoOnAfterOneThatFailed) {
  for (const c10::Device device : devices()) {
    DevicePasses passes(device);
    FunctionNetwork fails([](const at::Tensor&) -> at::Tensor { throw std::runtime_error("no"); });
    EXPECT_THROW(passes.run(fails, at::ones({1, 4}), at::kFloat), std::runtime_error);
    FunctionNetwork works([](const at::Tensor& features) { return features; });
    EXPECT_TRUE(passes.run(works, at::ones({1, 4}), at::kFloat).equal(at::ones({1, 4})));
  }
}

TEST(DevicePasses, OfManyThreadsDoNotMix) {
  for (const c10::Device device : devices()) {
    DevicePasses passes(device);
    FunctionNetwork network([](const at::Tensor& features) { return features.mm(features.t()).relu(); });
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        const torch::NoGradGuard no_grad;
        for (int pass = 0; pass < 50; ++pass) {
          const at::Tensor rows = at::full({64, 4}, i + 1).to(at::kFloat);
          const at::Tensor expected = at::full({64, 64}, 4 * (i + 1) * (i + 1)).to(at::kFloat);
          wrong += passes.run(network, rows, at::kFloat).equal(expected) ? 0 : 1;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(wrong, 0);
  }
}

}  // namespace
}  // namespace iris
