// The user's --device, as LibTorch's device.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace iris {

// What LibTorch says of CUDA on this machine.
struct CudaState {
  bool is_build = false;  // this LibTorch was built with CUDA
  int device_count = 0;
  std::string trouble = {};  // LibTorch's sentence that says why a CUDA build has no device
};

struct DeviceChoice {
  c10::Device device;
  std::string note = {};  // why "auto" is the CPU where a driver seems to be meant for use: for stderr; else empty
};

// "auto" (CUDA when there is one), "cpu", "cuda" or "cuda:N". Throws UsageError for any other text, and InputError,
// saying why, when there is no such device: LibTorch's CPU build, no driver or one too old, no such index.
DeviceChoice choose_device(const std::string& name, const CudaState& cuda);

// The same on this machine, and the device started: a kernel has run there. Where none can (no memory left, a GPU too
// old for this LibTorch) "auto" is the CPU, and any other name an InputError.
DeviceChoice resolve_device(const std::string& name);

// Whether the LibTorch that runs was built with CUDA, be there a device or not.
bool is_cuda_build();

// Whether float32 products on CUDA may keep 10 bits of each factor (TensorFloat-32); for the whole process. LibTorch
// itself begins with yes for convolutions.
void allow_tf32(bool is_allowed);

// LibTorch's threads within one operation (intra-op), for the whole process; at least 1.
void set_thread_count(int count);

// Of the LibTorch that iris is built with: "2.13.0".
std::string torch_version();

}  // namespace iris
