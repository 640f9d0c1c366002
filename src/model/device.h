// The device that the user names, as LibTorch's.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "model/device_name.h"

namespace iris {

// What LibTorch reports of CUDA on this machine.
struct CudaState {
  bool is_build = false;  // this LibTorch was built with CUDA
  int device_count = 0;
  std::string trouble = {};  // LibTorch's sentence that says why a CUDA build has no device
};

struct DeviceChoice {
  c10::Device device;
  std::string note = {};  // for stderr: why "auto" is the CPU although there is a driver; else empty
};

// Throws InputError, with the reason, where the device does not exist: LibTorch's CPU build, no driver or one too old,
// no such index.
DeviceChoice choose_device(const DeviceName& name, const CudaState& cuda);

// The same on this machine, with the device started: a kernel has run there. Where none can run (no memory left, a GPU
// too old for this LibTorch), "auto" gives the CPU, and any other name is an InputError.
DeviceChoice resolve_device(const DeviceName& name);

// Whether the loaded LibTorch was built with CUDA, with or without a device.
bool is_cuda_build();

// Whether float32 products on CUDA may keep only 10 bits of each factor (TensorFloat-32), for the whole process.
// LibTorch's default is yes for convolutions.
void allow_tf32(bool is_allowed);

// LibTorch's threads within one operation (intra-op), for the whole process; at least 1.
void set_thread_count(int count);

// The version of the LibTorch that iris is built with: "2.13.0".
std::string torch_version();

}  // namespace iris
