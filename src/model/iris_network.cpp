#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "error.h"
#include "model/device.h"
#include "model/iris_net.h"
#include "model/network.h"
#include "state_dict/tensors.h"
#include "tensor_file/selection.h"
#include "text.h"

namespace iris {
namespace {

// MKL rounds otherwise in three cases, each of which makes a row's bits depend on the rows beside it: few rows (other
// kernels), rows of a length that is not a multiple of 16 bytes (their alignment alternates), and several threads (they
// share the sums). So rows and hidden units are padded with zeros, and one thread computes.
// tests/model/same_bits_test.cpp compares every width and number of rows.
constexpr std::int64_t kLeastRows = 8;
constexpr std::int64_t kAlignedUnits = 4;
constexpr std::int64_t kManyRows = 4096;

// With zeros after the last element of the dimension, up to the next multiple of kAlignedUnits.
at::Tensor aligned(const at::Tensor& tensor, std::int64_t dimension) {
  std::vector<std::int64_t> shape = tensor.sizes().vec();
  auto& size = shape[static_cast<std::size_t>(dimension)];
  size = (kAlignedUnits - size % kAlignedUnits) % kAlignedUnits;
  return size == 0 ? tensor : at::cat({tensor, at::zeros(shape, tensor.options())}, dimension);
}

class Layer {
 public:
  // weight: [outputs, inputs]; bias: [outputs].
  Layer(const at::Tensor& weight, const at::Tensor& bias) : weight_(weight.t()), bias_(bias) {}

  at::Tensor forward(const at::Tensor& input) {
    const std::int64_t rows = input.size(0);
    if (rows * 2 < kManyRows || rows > kManyRows || bias_.size(0) > kSmallWidth) {
      return at::addmm(bias_, input, weight_);
    }
    std::call_once(*is_repeated_, [&] { repeated_ = bias_.expand({kManyRows, bias_.size(0)}).contiguous(); });
    return at::addmm(repeated_.narrow(0, 0, rows), input, weight_);
  }

 private:
  static constexpr std::int64_t kSmallWidth = 64;

  at::Tensor weight_;
  at::Tensor bias_;
  // For batches: the bias repeated for each row. A product begins as a copy of it, and repeating so short rows takes
  // LibTorch longer than copying them.
  std::unique_ptr<std::once_flag> is_repeated_ = std::make_unique<std::once_flag>();
  at::Tensor repeated_;
};

class IrisNetwork : public Network {
 public:
  explicit IrisNetwork(IrisNet net)
      : Network({.has_independent_rows = true, .is_bounded = true}), net_(std::move(net)) {
    prepare();
  }

  at::Tensor forward(const at::Tensor& features) override {
    const c10::InferenceMode inference;  // no views and versions to keep count of; a user's module may need them
    if (layers_.empty()) {
      return net_->forward(features);
    }
    const std::int64_t rows = features.size(0);
    if (rows >= kLeastRows) {
      return layers_[1].forward(layers_[0].forward(features).relu_());
    }
    const at::Tensor padded = at::zeros({kLeastRows, features.size(1)}, features.options());
    padded.narrow(0, 0, rows).copy_(features);
    return forward(padded).narrow(0, 0, rows);
  }

  void to(at::ScalarType dtype) override {
    net_->to(dtype);
    prepare();
  }

 private:
  void prepare() {
    layers_.clear();
    if (!net_->fc1->weight.is_cpu()) {  // a GPU's kernels promise no bits
      return;
    }
    const c10::InferenceMode inference;
    set_thread_count(1);
    layers_.emplace_back(aligned(net_->fc1->weight, 0), aligned(net_->fc1->bias, 0));
    layers_.emplace_back(aligned(net_->fc2->weight, 1), net_->fc2->bias);
  }

  IrisNet net_;
  std::vector<Layer> layers_;  // on the CPU
};

bool is_first_weight(const std::string& name) { return name.ends_with("fc1.weight"); }

// The width of the IrisNet whose tensors these are; nullopt: they are of another architecture.
std::optional<std::int64_t> width_of(const StateDict& state_dict) {
  constexpr std::int64_t kMostHidden = 1 << 20;
  const auto first =
      std::find_if(state_dict.begin(), state_dict.end(), [](const auto& item) { return is_first_weight(item.key()); });
  const std::int64_t width = first != state_dict.end() && first->value().dim() > 0 ? first->value().size(0) : 0;
  if (width < 1 || width > kMostHidden) {
    return std::nullopt;
  }
  try {
    load_state_dict(*IrisNet(IrisNetOptions().hidden(width)), state_dict);
    return width;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

// The key of another dictionary in the file that fits an IrisNet of the width.
std::optional<std::string> fitting_key(const TensorFile& file, const IrisNetOptions& options) {
  for (const std::string& key : state_dict_keys(file)) {
    try {
      load_state_dict(*IrisNet(options), tensors_of(file, key));
      return key;
    } catch (const Error&) {
    }
  }
  return std::nullopt;
}

// The error, and the way out that would work.
[[noreturn]] void fail_to_fit(const InputError& error, const TensorFile& file, const StateDict& state_dict,
                              const IrisNetOptions& options) {
  const std::string message = error.what();
  if (const auto width = width_of(state_dict)) {
    throw InputError(message + "\n  the file holds an IrisNet of " + std::to_string(*width) + " hidden units",
                     {Choice::Of::kHidden, std::to_string(*width)});
  }
  if (const auto key = fitting_key(file, options)) {
    throw InputError(message + "\n  another dictionary in the file fits", {Choice::Of::kKey, *key});
  }
  throw InputError(
      message +
      "\n  a state_dict is loaded into IrisNet: fc1 from 4 features to 16 units, ReLU, fc2 to 3 classes; export "
      "another architecture\n  as TorchScript, which iris runs (docs/models.md), with these two lines of "
      "Python:\n    model.load_state_dict(torch.load(\"model.pt\", weights_only=True))\n    "
      "torch.jit.script(model.eval()).save(\"model.ts.pt\")");
}

}  // namespace

std::unique_ptr<Network> make_iris_network(const TensorFile& file, const std::optional<std::string>& key,
                                           std::optional<std::int64_t> hidden, c10::Device device) {
  IrisNetOptions options;
  options.hidden(hidden.value_or(options.hidden()));
  IrisNet net(options);
  const StateDict state_dict = tensors_of(file, key);
  try {
    load_state_dict(*net, state_dict);
  } catch (const InputError& error) {
    fail_to_fit(error, file, state_dict, options);
  }
  net->to(device);
  net->eval();
  return std::make_unique<IrisNetwork>(std::move(net));
}

}  // namespace iris
