#include "model/device.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/util/Exception.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <charconv>
#include <string_view>

#include "error.h"
#include "model/torch_errors.h"

namespace iris {
namespace {

// LibTorch's sentences.
constexpr std::string_view kNoDriver = "Found no NVIDIA driver";
constexpr std::string_view kNoDevice = "No CUDA GPUs are available";

constexpr const char* kInstead = "CUDA cannot be used, so the CPU is: ";
const Choice kCpuInstead = {Choice::Of::kDevice, "cpu"};

// LibTorch warns on stderr of a driver that does not start; iris has a message of its own for that.
class NoWarnings : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

// Throws LibTorch's exception where the device cannot run a kernel.
void run_kernel(c10::Device device) { at::ones({1}, at::TensorOptions(device)).item<float>(); }

CudaState ask_cuda() {
  CudaState state{.is_build = is_cuda_build()};
  if (!state.is_build) {
    return state;
  }
  NoWarnings no_warnings;
  const c10::WarningUtils::WarningHandlerGuard guard(&no_warnings);
  state.device_count = torch::cuda::device_count();
  if (state.device_count == 0) {
    try {
      run_kernel(c10::kCUDA);
    } catch (const std::exception& error) {
      state.trouble = message_of(error);
    }
  }
  return state;
}

// Once in a process.
const CudaState& cuda_state() {
  static const CudaState state = ask_cuda();
  return state;
}

struct Reason {
  std::string fact;
  std::string way_out;
};

Reason reason_of(const CudaState& cuda) {
  constexpr std::string_view kFound = "too old (found version ";
  if (cuda.trouble.starts_with(kNoDriver)) {
    return {"CUDA finds no NVIDIA driver on this machine", "install one"};
  }
  if (cuda.trouble.starts_with(kNoDevice)) {
    return {"the NVIDIA driver shows no GPU", "see nvidia-smi and CUDA_VISIBLE_DEVICES"};
  }
  if (const auto found = cuda.trouble.find(kFound); found != std::string::npos) {
    int version = 0;  // 11040: CUDA 11.4
    std::from_chars(cuda.trouble.data() + found + kFound.size(), cuda.trouble.data() + cuda.trouble.size(), version);
    const std::string known = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
    return {"the NVIDIA driver is too old for this LibTorch: it knows CUDA up to " + known,
            "update it, build iris with a LibTorch for CUDA " + known};
  }
  return {"CUDA does not start: " + cuda.trouble, "see nvidia-smi"};
}

}  // namespace

std::string torch_version() { return TORCH_VERSION; }

bool is_cuda_build() { return at::CUDAHooksRegistry()->Has("CUDAHooks"); }

void set_thread_count(int count) { at::set_num_threads(count); }

void allow_tf32(bool is_allowed) {
  at::globalContext().setAllowTF32CuBLAS(is_allowed);
  at::globalContext().setAllowTF32CuDNN(is_allowed);
}

DeviceChoice choose_device(const DeviceName& name, const CudaState& cuda) {
  if (name.kind == DeviceName::Kind::kCpu) {
    return {c10::kCPU};
  }
  if (name.kind == DeviceName::Kind::kAuto && cuda.device_count == 0) {
    const bool is_expected =
        !cuda.is_build || cuda.trouble.starts_with(kNoDriver) || cuda.trouble.starts_with(kNoDevice);
    return {c10::kCPU, is_expected ? "" : kInstead + reason_of(cuda).fact};
  }
  if (!cuda.is_build) {
    throw InputError(
        "device " + name.text + ": this LibTorch is a CPU build; build iris with a CUDA one, or use the CPU",
        kCpuInstead);
  }
  if (cuda.device_count == 0) {
    const Reason reason = reason_of(cuda);
    throw InputError("device " + name.text + ": " + reason.fact + "; " + reason.way_out + ", or use the CPU",
                     kCpuInstead);
  }
  if (name.index >= cuda.device_count) {
    throw InputError(
        "device " + name.text + ": there is no such device; there " +
            (cuda.device_count == 1 ? "is cuda:0 only" : "are cuda:0 to cuda:" + std::to_string(cuda.device_count - 1)),
        {Choice::Of::kDevice});
  }
  return {c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(name.index))};
}

DeviceChoice resolve_device(const DeviceName& name) {
  DeviceChoice choice = choose_device(name, name.kind == DeviceName::Kind::kCpu ? CudaState() : cuda_state());
  if (!choice.device.is_cuda()) {
    return choice;
  }
  try {
    run_kernel(choice.device);
  } catch (const std::exception& error) {
    const std::string fact = choice.device.str() + " does not start: " + message_of(error);
    if (name.kind != DeviceName::Kind::kAuto) {
      throw InputError("device " + name.text + ": " + fact + "; use another device, or the CPU", kCpuInstead);
    }
    choice = {c10::kCPU, kInstead + fact};
  }
  return choice;
}

}  // namespace iris
