// The user's --device, as LibTorch's device.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace iris {

// "auto" (CUDA when there is one), "cpu", "cuda" or "cuda:N". Throws UsageError for any other text, and InputError,
// saying why, when there is no such device: LibTorch's CPU build, no driver, no such index.
c10::Device resolve_device(const std::string& name);

// Whether the LibTorch that runs was built with CUDA, be there a device or not.
bool is_cuda_build();

// LibTorch's threads within one operation (intra-op), for the whole process; at least 1.
void set_thread_count(int count);

// Of the LibTorch that iris is built with: "2.13.0".
std::string torch_version();

}  // namespace iris
