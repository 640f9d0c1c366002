// Passes through a network on a device other than the CPU.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Stream.h>

#include <mutex>
#include <vector>

#include "model/network.h"

namespace iris {

// Any number of threads may use it at once. Each pass has a stream of its own: while one computes, others copy. What
// was put on the device before the constructor may be used on all streams.
class DevicePasses {
 public:
  // Throws c10::Error where the device fails.
  explicit DevicePasses(c10::Device device);

  // features: float32 [N, features] on the CPU; converted to `dtype` on the device. Rows and answers are copied through
  // pinned memory. Returns the network's output: if it is floating-point, as contiguous float32 on the CPU, else
  // untouched. Throws what Network::forward throws.
  at::Tensor run(Network& network, const at::Tensor& features, at::ScalarType dtype);

 private:
  class UsedStream;

  c10::Stream take_stream();

  c10::Device device_;
  std::mutex mutex_;
  std::vector<c10::Stream> idle_;  // guarded
};

}  // namespace iris
