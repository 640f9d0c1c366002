// The texts are LibTorch's own, as a CUDA build throws them.
#include "model/torch_errors.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace iris {
namespace {

// As TorchScript's interpreter wraps any error.
std::runtime_error interpreted(const std::string& message) {
  return std::runtime_error(
      "The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript (most recent call "
      "last):\nRuntimeError: " +
      message + "\n");
}

constexpr const char* kNoMemory[] = {
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.10 GiB of which 3.00 MiB is "
    "free.",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "1099511627776 bytes. Error code 12 (Cannot allocate memory)",
};

constexpr const char* kLost[] = {
    "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported",
    "CUDA error: an illegal memory access was encountered",
    "CUDA error: unspecified launch failure",
    "CUDA error: uncorrectable ECC error encountered",
    "CUDA error: misaligned address",
    "CUDA error: unknown error",
};

constexpr const char* kPassing[] = {
    "CUDA error: invalid configuration argument",
    "mat1 and mat2 shapes cannot be multiplied (1x5 and 4x16)",
    "unknown error",  // a module's own
    "device-side assert triggered",
};

TEST(DeviceErrors, KnowMemoryThatDoesNotSuffice) {
  EXPECT_TRUE(is_out_of_memory(c10::OutOfMemoryError({}, "any text")));
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  for (const char* text : kNoMemory) {
    EXPECT_TRUE(is_out_of_memory(c10::Error({}, text))) << text;
    EXPECT_TRUE(is_out_of_memory(interpreted(text))) << text;
    EXPECT_FALSE(is_device_lost(interpreted(text))) << text;
  }
}

TEST(DeviceErrors, KnowADeviceThatAnswersNoMore) {
  for (const char* text : kLost) {
    EXPECT_TRUE(is_device_lost(c10::Error({}, text))) << text;
    EXPECT_TRUE(is_device_lost(interpreted(text))) << text;
    EXPECT_FALSE(is_out_of_memory(interpreted(text))) << text;
  }
}

TEST(DeviceErrors, LeaveOthersToTheRows) {
  for (const char* text : kPassing) {
    EXPECT_FALSE(is_device_lost(interpreted(text))) << text;
    EXPECT_FALSE(is_out_of_memory(interpreted(text))) << text;
  }
}

TEST(DeviceErrors, KnowWhatTheCpusAllocatorSays) {
  try {
    c10::GetAllocator(c10::kCPU)->allocate(std::size_t{1} << 60);
    FAIL() << "there is so much memory";
  } catch (const std::exception& error) {
    EXPECT_TRUE(is_out_of_memory(error)) << error.what();
  }
}

TEST(MessageOf, IsTheFirstLineThatIsNotEmpty) {
  EXPECT_EQ(message_of(std::runtime_error("\nUnknown builtin op: torchvision::nms.\nCould not find any similar ops")),
            "Unknown builtin op: torchvision::nms.");
}

TEST(MessageOf, IsTheLineAfterTheInterpretersTraceback) {
  EXPECT_EQ(
      message_of(interpreted("Could not run 'aten::add' with arguments from the 'CUDA' backend.\n\nCPU: registered "
                             "at a.cpp:1\nPythonDispatcher: registered at b.cpp:2")),
      "Could not run 'aten::add' with arguments from the 'CUDA' backend.");
}

TEST(MessageOf, IsAModulesOwnExceptionWithItsName) {
  const std::string begin =
      "The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript (most recent call "
      "last):\n  File \"m.py\", line 3, in forward\n    raise ValueError()\n";
  EXPECT_EQ(message_of(std::runtime_error(begin + "builtins.ValueError: too long\n")), "ValueError: too long");
  EXPECT_EQ(message_of(std::runtime_error(begin + "builtins.RuntimeError: no flowers today\n")), "no flowers today");
}

}  // namespace
}  // namespace iris
