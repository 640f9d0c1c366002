#include "model/device.h"

#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

// LibTorch's own sentences; tests/python/device/test_cuda_driver.py gets them from a CUDA build itself.
const CudaState kCpuBuild = {};
const CudaState kNoDriver = {.is_build = true,
                             .trouble =
                                 "Found no NVIDIA driver on your system. Please check that you have an NVIDIA "
                                 "GPU and installed a driver from http://www.nvidia.com/Download/index.aspx"};
const CudaState kOldDriver = {.is_build = true,
                              .trouble =
                                  "The NVIDIA driver on your system is too old (found version 11040). Please "
                                  "update your GPU driver by downloading and installing a new version"};
const CudaState kNoGpu = {.is_build = true, .trouble = "No CUDA GPUs are available"};
const CudaState kUnknown = {.is_build = true, .trouble = "CUDA unknown error"};
const CudaState kOneGpu = {.is_build = true, .device_count = 1};
const CudaState kTwoGpus = {.is_build = true, .device_count = 2};

// Why there is no such device.
std::string error_of(const std::string& name, const CudaState& cuda) {
  return test::error_of<InputError>([&] { choose_device(name, cuda); });
}

TEST(Device, IsTheCpuWhenAskedFor) {
  for (const CudaState& cuda : {kCpuBuild, kNoDriver, kTwoGpus}) {
    EXPECT_EQ(choose_device("cpu", cuda).device, c10::Device(c10::kCPU));
  }
  EXPECT_EQ(resolve_device("cpu").device, c10::Device(c10::kCPU));
}

TEST(Device, IsTheFirstGpuByDefaultAndWithoutAnIndex) {
  EXPECT_EQ(choose_device("auto", kTwoGpus).device, c10::Device(c10::kCUDA, 0));
  EXPECT_EQ(choose_device("cuda", kTwoGpus).device, c10::Device(c10::kCUDA, 0));
  EXPECT_EQ(choose_device("cuda:1", kTwoGpus).device, c10::Device(c10::kCUDA, 1));
}

TEST(Device, IsByDefaultTheCpuWhereThereIsNoGpuWithoutAWord) {
  for (const CudaState& cuda : {kCpuBuild, kNoDriver, kNoGpu}) {
    const DeviceChoice choice = choose_device("auto", cuda);
    EXPECT_EQ(choice.device, c10::Device(c10::kCPU));
    EXPECT_EQ(choice.note, "");
  }
}

TEST(Device, SaysWhyItIsTheCpuByDefaultWhereADriverDoesNotStart) {
  EXPECT_EQ(choose_device("auto", kOldDriver).device, c10::Device(c10::kCPU));
  EXPECT_EQ(choose_device("auto", kOldDriver).note,
            "CUDA cannot be used, so the CPU is: the NVIDIA driver is too old for this LibTorch: it knows CUDA up to "
            "11.4");
  EXPECT_EQ(choose_device("auto", kUnknown).note,
            "CUDA cannot be used, so the CPU is: CUDA does not start: CUDA unknown error");
}

TEST(Device, RefusesOtherNames) {
  for (const CudaState& cuda : {kCpuBuild, kTwoGpus}) {
    for (const char* name : {"gpu", "", "CUDA", "cpu:0", "cuda ", "mps"}) {
      EXPECT_EQ(test::error_of<UsageError>([&] { choose_device(name, cuda); }),
                "device " + std::string(name) + ": is not one of auto, cpu, cuda, cuda:N");
    }
  }
}

TEST(Device, RefusesAnIndexThatIsNoNumber) {
  for (const CudaState& cuda : {kCpuBuild, kTwoGpus}) {
    for (const char* name : {"cuda:", "cuda:x", "cuda:-1", "cuda:1x"}) {
      EXPECT_EQ(test::error_of<UsageError>([&] { choose_device(name, cuda); }),
                "device " + std::string(name) + ": after cuda: comes a number from 0");
    }
  }
}

TEST(Device, SaysThatACpuBuildHasNoCuda) {
  for (const std::string name : {"cuda", "cuda:1"}) {
    EXPECT_EQ(error_of(name, kCpuBuild),
              "device " + name + ": this LibTorch is a CPU build; build iris with a CUDA one, or use the CPU");
  }
}

TEST(Device, SaysThatThereIsNoDriver) {
  EXPECT_EQ(error_of("cuda", kNoDriver),
            "device cuda: CUDA finds no NVIDIA driver on this machine; install one, or use the CPU");
}

TEST(Device, SaysThatTheDriverIsTooOld) {
  EXPECT_EQ(error_of("cuda:0", kOldDriver),
            "device cuda:0: the NVIDIA driver is too old for this LibTorch: it knows CUDA up to 11.4; update it, "
            "build iris with a LibTorch for CUDA 11.4, or use the CPU");
}

TEST(Device, SaysThatTheDriverShowsNoGpu) {
  EXPECT_EQ(error_of("cuda", kNoGpu),
            "device cuda: the NVIDIA driver shows no GPU; see nvidia-smi and CUDA_VISIBLE_DEVICES, or use the CPU");
}

TEST(Device, PassesOnWhatElseKeepsCudaFromStarting) {
  EXPECT_EQ(error_of("cuda", kUnknown),
            "device cuda: CUDA does not start: CUDA unknown error; see nvidia-smi, or use the CPU");
}

TEST(Device, SaysWhichIndexesThereAre) {
  EXPECT_EQ(error_of("cuda:1", kOneGpu), "device cuda:1: there is no such device; there is cuda:0 only");
  EXPECT_EQ(error_of("cuda:2", kTwoGpus), "device cuda:2: there is no such device; there are cuda:0 to cuda:1");
  EXPECT_EQ(error_of("cuda:99999999999", kOneGpu),
            "device cuda:99999999999: there is no such device; there is cuda:0 only");
  EXPECT_EQ(error_of("cuda:300", kTwoGpus), "device cuda:300: there is no such device; there are cuda:0 to cuda:1");
}

TEST(Device, OfThisMachineIsStarted) {
  EXPECT_EQ(resolve_device("auto").device.is_cuda(), torch::cuda::is_available());
  if (!torch::cuda::is_available()) {
    EXPECT_NE(test::error_of<InputError>([] { resolve_device("cuda"); }), "");
  }
}

}  // namespace
}  // namespace iris
