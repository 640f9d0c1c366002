#include <caffe2/serialize/in_memory_adapter.h>
#include <torch/script.h>

#include <utility>

#include "error.h"
#include "model/network.h"
#include "model/torch_errors.h"

namespace iris {
namespace {

class TorchScriptNetwork : public Network {
 public:
  explicit TorchScriptNetwork(torch::jit::Module module) : module_(std::move(module)) {}

  at::Tensor forward(const at::Tensor& features) override {
    // Otherwise the first passes are profiled and the later ones optimized: the same row would get other last bits.
    const torch::jit::GraphOptimizerEnabledGuard as_it_is(false);
    const torch::jit::IValue output = module_.forward({features});
    return output.isTensor() ? output.toTensor() : at::Tensor();
  }

  // As Python's Module.to: torch::jit::Module's own converts integers too.
  void to(at::ScalarType dtype) override {
    bool has_converted = false;
    const auto convert = [&](const auto& tensors) {
      for (at::Tensor tensor : tensors) {
        if (tensor.is_floating_point()) {
          tensor.set_data(tensor.to(dtype));
          has_converted = true;
        }
      }
    };
    convert(module_.parameters());
    convert(module_.buffers());
    if (!has_converted) {
      throw InputError(
          "the module's numbers are part of its program (it is frozen) and keep their dtype; export it in that dtype, "
          "or leave the dtype out",
          {Choice::Of::kDtype});
    }
  }

 private:
  torch::jit::Module module_;
};

}  // namespace

std::unique_ptr<Network> make_torchscript_network(const TensorFile& file, c10::Device device) {
  const auto bytes = file.file->bytes();
  try {
    auto reader =
        std::make_shared<caffe2::serialize::MemoryReadAdapter>(bytes.data(), static_cast<off_t>(bytes.size()));
    torch::jit::ExtraFilesMap no_extra_files;
    torch::jit::Module module = torch::jit::load(std::move(reader), device, no_extra_files, /*load_debug_files=*/false);
    if (!module.find_method("forward")) {
      return nullptr;
    }
    module.eval();
    return std::make_unique<TorchScriptNetwork>(std::move(module));
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) {
      throw;
    }
    throw FormatError("LibTorch cannot load this TorchScript: " + message_of(error));
  }
}

}  // namespace iris
