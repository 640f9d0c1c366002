#include "model/network.h"

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <torch/script.h>

#include <utility>
#include <vector>

#include "error.h"
#include "model/device_errors.h"
#include "model/iris_net.h"
#include "state_dict/tensors.h"

namespace iris {
namespace {

class IrisNetwork : public Network {
 public:
  explicit IrisNetwork(IrisNet net) : net_(std::move(net)) {
    names = {iris_features(), iris_labels()};
    repeat_biases();
  }

  at::Tensor forward(const at::Tensor& features) override {
    const c10::InferenceMode inference;  // no views and versions to keep count of; a user's module may need them
    if (biases_of_.empty() || features.size(0) > kRows) {
      return net_->forward(features);
    }
    at::Tensor hidden = affine(0, features, *net_->fc1);
    return affine(1, hidden.relu_(), *net_->fc2);
  }

  void to(at::ScalarType dtype) override {
    net_->to(dtype);
    repeat_biases();
  }

 private:
  static constexpr std::int64_t kRows = 4096;
  static constexpr std::int64_t kSmallWidth = 64;

  static at::Tensor rows_of(const at::Tensor& bias) { return bias.expand({kRows, bias.size(0)}).contiguous(); }

  // A GPU's own kernels add a bias on their way.
  void repeat_biases() {
    if (net_->fc1->bias.is_cpu() && net_->fc1->options.out_features() <= kSmallWidth) {
      const torch::NoGradGuard no_grad;
      biases_of_ = {rows_of(net_->fc1->bias), rows_of(net_->fc2->bias)};
    }
  }

  at::Tensor affine(std::size_t layer, const at::Tensor& input, const torch::nn::LinearImpl& linear) const {
    return at::addmm(biases_of_[layer].narrow(0, 0, input.size(0)), input, linear.weight.t());
  }

  IrisNet net_;
  // A bias repeated for each row. A product begins as a copy of it, and to repeat so short rows takes LibTorch longer
  // than to copy them.
  std::vector<at::Tensor> biases_of_;
};

class TorchScriptNetwork : public Network {
 public:
  TorchScriptNetwork(torch::jit::Module module, ModelNames its_names) : module_(std::move(module)) {
    names = std::move(its_names);
  }

  at::Tensor forward(const at::Tensor& features) override {
    // Else the first passes are profiled, and the later ones optimized: the same row would get other last bits.
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
          "the module's numbers are part of its program (it is frozen), and stay what they are; export it in "
          "that dtype, or leave out --dtype");
    }
  }

 private:
  torch::jit::Module module_;
};

// For a file that another width would fit, or that is of another architecture.
std::string way_out(const StateDict& state_dict, const IrisNetOptions& options) {
  for (const auto& item : state_dict) {
    const at::Tensor& tensor = item.value();
    if (!item.key().ends_with("fc1.weight")) {
      continue;
    }
    if (tensor.dim() == 2 && tensor.size(1) == options.features() && tensor.size(0) != options.hidden()) {
      const std::string width = std::to_string(tensor.size(0));
      return "\n  for an IrisNet of " + width + " hidden units say --hidden " + width;
    }
    return "";
  }
  return "\n  a state_dict is poured into IrisNet; export another architecture as TorchScript or .pt2 instead";
}

}  // namespace

void Network::to(at::ScalarType /*dtype*/) {
  throw InputError("the model's dtype is fixed in this form; leave out --dtype");
}

std::unique_ptr<Network> make_iris_network(const TensorFile& file, const std::optional<std::string>& key,
                                           std::optional<std::int64_t> hidden, c10::Device device) {
  IrisNetOptions options;
  IrisNet net(options.hidden(hidden.value_or(options.hidden())));
  const StateDict state_dict = tensors_of(file, key);
  try {
    load_state_dict(*net, state_dict);
  } catch (const InputError& error) {
    throw InputError(error.what() + way_out(state_dict, options));
  }
  net->to(device);
  net->eval();
  return std::make_unique<IrisNetwork>(std::move(net));
}

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
    return std::make_unique<TorchScriptNetwork>(std::move(module),
                                                file.names.empty() ? ModelNames{} : parse_model_names(file.names));
  } catch (const FormatError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) {
      throw;
    }
    throw FormatError("LibTorch cannot load this TorchScript: " + message_of(error));
  }
}

std::string message_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string message = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // The interpreter puts its traceback before the sentence, "RuntimeError: …" or the name of the module's own
  // exception.
  const std::string_view kInterpreter = "The following operation failed in the TorchScript interpreter.";
  if (message.find(kInterpreter) != std::string::npos) {
    while (!message.empty() && message.back() == '\n') {
      message.pop_back();
    }
    message = message.substr(message.rfind('\n') + 1);
    for (const std::string_view prefix : {"builtins.", "RuntimeError: "}) {
      message.erase(0, message.starts_with(prefix) ? prefix.size() : 0);
    }
  }
  return message.substr(0, message.find('\n'));
}

}  // namespace iris
