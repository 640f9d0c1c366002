#include "inference/device.h"

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <charconv>

#include "error.h"

namespace iris {

std::string torch_version() { return TORCH_VERSION; }

bool is_cuda_build() { return at::CUDAHooksRegistry()->Has("CUDAHooks"); }

void set_thread_count(int count) { at::set_num_threads(count); }

c10::Device resolve_device(const std::string& name) {
  const c10::Device cpu(c10::kCPU);
  if (name == "cpu" || (name == "auto" && !torch::cuda::is_available())) {
    return cpu;
  }
  int index = 0;
  if (name.starts_with("cuda:")) {
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + 5, end, index);
    if (parsed.ec != std::errc() || parsed.ptr != end || index < 0) {
      throw UsageError("--device " + name + ": the index behind cuda: is no number from 0");
    }
  } else if (name != "cuda" && name != "auto") {
    throw UsageError("--device " + name + ": is none of auto, cpu, cuda, cuda:N");
  }
  if (!is_cuda_build()) {
    throw InputError("--device " + name +
                     ": this LibTorch is a CPU build; build iris with a CUDA one, or use --device cpu");
  }
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (count == 0) {
    throw InputError("--device " + name +
                     ": CUDA finds no device: no NVIDIA driver, one too old for this LibTorch, or no GPU "
                     "(nvidia-smi tells); use --device cpu");
  }
  if (index >= count) {
    throw InputError("--device " + name +
                     ": there is no such device; there are cuda:0 to cuda:" + std::to_string(count - 1));
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace iris
