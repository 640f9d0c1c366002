#include "inference/device.h"

#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

std::string device_error(const std::string& name) {
  return test::error_of<InputError>([&] { resolve_device(name); });
}

TEST(Device, IsTheCpuWhenAskedFor) { EXPECT_EQ(resolve_device("cpu"), c10::Device(c10::kCPU)); }

TEST(Device, IsTheGpuByDefaultWhereThereIsOne) {
  EXPECT_EQ(resolve_device("auto").is_cuda(), torch::cuda::is_available());
}

TEST(Device, RefusesOtherNames) {
  for (const char* name : {"gpu", "", "CUDA", "cpu:0", "cuda ", "mps"}) {
    EXPECT_EQ(test::error_of<UsageError>([&] { resolve_device(name); }),
              "--device " + std::string(name) + ": is none of auto, cpu, cuda, cuda:N");
  }
}

TEST(Device, RefusesAnIndexThatIsNoNumber) {
  for (const char* name : {"cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999"}) {
    EXPECT_EQ(test::error_of<UsageError>([&] { resolve_device(name); }),
              "--device " + std::string(name) + ": the index behind cuda: is no number from 0");
  }
}

TEST(Device, SaysThatACpuBuildHasNoCuda) {
  if (is_cuda_build()) {
    GTEST_SKIP() << "this LibTorch is a CUDA build";
  }
  EXPECT_EQ(device_error("cuda"),
            "--device cuda: this LibTorch is a CPU build; build iris with a CUDA one, or use --device cpu");
  EXPECT_EQ(device_error("cuda:1"),
            "--device cuda:1: this LibTorch is a CPU build; build iris with a CUDA one, or use --device cpu");
}

TEST(Device, SaysThatACudaBuildFindsNoDevice) {
  if (!is_cuda_build() || torch::cuda::is_available()) {
    GTEST_SKIP() << "needs a CUDA build of LibTorch, and no device";
  }
  EXPECT_TRUE(device_error("cuda").starts_with("--device cuda: CUDA finds no device: ")) << device_error("cuda");
}

TEST(Device, SaysWhichIndexesThereAre) {
  if (!torch::cuda::is_available()) {
    GTEST_SKIP() << "needs a CUDA device";
  }
  EXPECT_TRUE(device_error("cuda:999").starts_with("--device cuda:999: there is no such device; "))
      << device_error("cuda:999");
}

TEST(Device, IsTheFirstGpuWithoutAnIndex) {
  if (!torch::cuda::is_available()) {
    GTEST_SKIP() << "needs a CUDA device";
  }
  EXPECT_EQ(resolve_device("cuda"), c10::Device(c10::kCUDA, 0));
}

}  // namespace
}  // namespace iris
