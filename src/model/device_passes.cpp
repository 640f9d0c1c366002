#include "model/device_passes.h"

#include <ATen/Functions.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>

namespace iris {

// By LibTorch's interface for any device: c10::cuda's own headers need a CUDA toolkit.
class DevicePasses::UsedStream {
 public:
  explicit UsedStream(DevicePasses& passes) : passes_(passes), stream_(passes.take_stream()), guard_(stream_) {}
  ~UsedStream() {
    const std::lock_guard lock(passes_.mutex_);
    passes_.idle_.push_back(stream_);
  }
  UsedStream(const UsedStream&) = delete;
  UsedStream& operator=(const UsedStream&) = delete;

  void synchronize() const { stream_.synchronize(); }

 private:
  DevicePasses& passes_;
  c10::Stream stream_;
  c10::StreamGuard guard_;
};

DevicePasses::DevicePasses(c10::Device device) : device_(device) {
  if (device.is_cuda()) {
    torch::cuda::synchronize(device.index());
  }
}

c10::Stream DevicePasses::take_stream() {
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    const c10::Stream stream = idle_.back();  // used last: its memory is warm
    idle_.pop_back();
    return stream;
  }
  const c10::impl::VirtualGuardImpl device(device_.type());
  return device_.is_cuda() ? device.getStreamFromGlobalPool(device_) : device.getStream(device_);
}

at::Tensor DevicePasses::run(Network& network, const at::Tensor& features, at::ScalarType dtype) {
  const UsedStream stream(*this);
  const auto pinned = at::TensorOptions(at::kFloat).pinned_memory(device_.is_cuda());
  // LibTorch keeps pinned memory for the next pass, and gives none of it away while a copy still reads it.
  const at::Tensor staged = at::empty(features.sizes(), pinned).copy_(features);
  const at::Tensor output = network.forward(staged.to(device_, /*non_blocking=*/true).to(dtype));
  if (!output.defined() || !output.is_floating_point()) {
    return output;
  }
  at::Tensor answer = at::empty(output.sizes(), pinned);
  answer.copy_(output.to(at::kFloat), /*non_blocking=*/true);
  stream.synchronize();
  return answer;
}

}  // namespace iris
