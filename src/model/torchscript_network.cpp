#include <caffe2/serialize/in_memory_adapter.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/script.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "error.h"
#include "model/network.h"
#include "model/torch_errors.h"
#include "model/torchscript_traits.h"
#include "text.h"

namespace iris {
namespace {

class TorchScriptNetwork : public Network {
 public:
  TorchScriptNetwork(const torch::jit::Module& module, NetworkTraits its_traits)
      : Network(its_traits), module_(module) {}

  at::Tensor forward(const at::Tensor& features) override {
    if (!traits.changes_itself) {
      return run(features);
    }
    const std::lock_guard one_at_a_time(mutex_);
    return run(features.clone());  // which it may write into
  }

  std::unique_ptr<Network> copy() const override {
    if (!traits.changes_itself) {
      return nullptr;
    }
    const std::lock_guard not_while_it_runs(mutex_);
    return std::make_unique<TorchScriptNetwork>(module_.deepcopy(), traits);
  }

  std::optional<at::ScalarType> dtype() const override {
    std::set<at::ScalarType> dtypes;
    const auto add = [&](const auto& tensors) {
      for (const at::Tensor& tensor : tensors) {
        if (tensor.is_floating_point()) {
          dtypes.insert(tensor.scalar_type());
        }
      }
    };
    add(module_.parameters());
    add(module_.buffers());
    return dtypes.size() == 1 ? std::optional(*dtypes.begin()) : std::nullopt;
  }

  std::size_t widest_layer() const override {
    std::int64_t widest = 0;
    for (const at::Tensor& weight : module_.parameters()) {
      widest = std::max(widest, weight.dim() == 2 ? weight.size(0) : 0);
    }
    return static_cast<std::size_t>(widest);
  }

  std::vector<std::size_t> likely_feature_counts() const override {
    constexpr std::size_t kMost = 3;
    std::vector<std::size_t> counts;
    for (const at::Tensor& weight : module_.parameters()) {
      if (weight.dim() != 2) {
        continue;
      }
      for (const std::int64_t size : {weight.size(1), weight.size(0)}) {  // nn.Linear's, and of x @ weight
        const auto count = static_cast<std::size_t>(size);
        if (counts.size() < kMost && std::find(counts.begin(), counts.end(), count) == counts.end()) {
          counts.push_back(count);
        }
      }
    }
    return counts;
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
  at::Tensor run(const at::Tensor& features) {
    // Otherwise the first passes are profiled and the later ones optimized: the same row would get other last bits.
    const torch::jit::GraphOptimizerEnabledGuard as_it_is(false);
    const torch::jit::IValue output = module_.forward({features});
    if (!output.isTensor()) {
      throw InputError("the model gives " + output.type()->repr_str() +
                       ", not one tensor; export a module that returns the one to show, of shape (rows, classes)");
    }
    return output.toTensor();
  }

  mutable std::mutex mutex_;
  torch::jit::Module module_;
};

// Throws InputError where forward needs more or less than the rows.
void check_inputs(const torch::jit::Module& module) {
  std::vector<std::string> inputs;
  std::size_t needed = 0;
  const std::vector<c10::Argument>& arguments = module.get_method("forward").function().getSchema().arguments();
  for (std::size_t i = 1; i < arguments.size(); ++i) {  // the first is the module itself
    inputs.push_back(arguments[i].name());
    if (!arguments[i].default_value()) {
      ++needed;
    }
  }
  if (inputs.empty() || needed > 1) {
    throw InputError("the model's forward takes " +
                     (inputs.empty()
                          ? "nothing"
                          : std::to_string(needed) + " inputs (" + text::printable(text::joined(inputs)) + ")") +
                     "; export a module that takes one tensor, of shape (rows, features)");
  }
}

}  // namespace

std::unique_ptr<Network> make_torchscript_network(const FileBytes& file, c10::Device device) {
  const auto bytes = file.bytes();
  try {
    auto reader =
        std::make_shared<caffe2::serialize::MemoryReadAdapter>(bytes.data(), static_cast<off_t>(bytes.size()));
    // Results alone go to stdout.
    torch::jit::setPrintHandler([](const std::string& text) { std::fputs(text.c_str(), stderr); });
    torch::jit::ExtraFilesMap no_extra_files;
    torch::jit::Module module = torch::jit::load(std::move(reader), device, no_extra_files, /*load_debug_files=*/false);
    if (!module.find_method("forward")) {
      return nullptr;
    }
    check_inputs(module);
    module.eval();
    return std::make_unique<TorchScriptNetwork>(module, traits_of(module));
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) {
      throw;
    }
    throw FormatError("LibTorch cannot load this TorchScript: " + message_of(error));
  }
}

}  // namespace iris
