#include "inference/classifier.h"

#include <ATen/Functions.h>
#include <torch/torch.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "error.h"
#include "inference/device.h"
#include "inference/network.h"
#include "state_dict/selection.h"
#include "state_dict/tensor_writer.h"

namespace iris {

struct Classifier::Impl {
  std::string path;
  c10::Device device;
  std::unique_ptr<Network> network;
  std::vector<std::string> features;
  std::vector<std::string> labels;

  [[noreturn]] void fail(const std::string& fact) const { throw InputError(path + ": " + fact); }

  // The module's logits: float32 [row_count, classes] on the CPU.
  at::Tensor forward(std::span<const float> rows, std::size_t row_count) const;
};

namespace {

std::unique_ptr<Network> make_network(const Pt2Archive& archive, const ClassifierOptions& options, c10::Device device) {
  if (options.key || options.hidden) {
    throw UsageError("an AOTInductor package is whole: --key and --hidden are for state_dicts");
  }
  return make_aoti_network(archive, device);
}

std::unique_ptr<Network> make_network(const TensorFile& file, const ClassifierOptions& options, c10::Device device) {
  verify_data(file);
  if (file.is_torchscript) {
    if (auto network = make_torchscript_network(file, device)) {
      if (options.key || options.hidden) {
        throw UsageError("a TorchScript module is whole: --key and --hidden are for state_dicts");
      }
      return network;
    }
  }
  return make_iris_network(file, options.key, options.hidden, device);
}

// Without a branch in the loop, so that it is vectorized.
bool are_finite(const std::vector<float>& values) {
  constexpr std::uint32_t kExponent = 0x7F800000;  // all ones: infinite, or not a number
  std::uint32_t found = 0;
  for (const float value : values) {
    found |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1U : 0U;
  }
  return found == 0;
}

// A function of the number of classes, which for Iris's three is a constant.
template <typename Function>
void for_classes(std::size_t classes, const Function& function) {
  if (classes == 3) {
    function(std::integral_constant<std::size_t, 3>());
  } else {
    function(classes);
  }
}

// Fills in the best classes and the probabilities. at::softmax over so short rows takes longer than the forward pass;
// at::exp over all of them does not.
void softmax(Predictions& predictions) {
  auto& values = predictions.probabilities;
  values.resize(predictions.logits.size());
  predictions.best.resize(values.size() / predictions.class_count);
  for_classes(predictions.class_count, [&](auto classes) {
    const float* logits = predictions.logits.data();
    float* shifted = values.data();
    for (std::size_t& best : predictions.best) {
      std::size_t highest = 0;
      float largest = logits[0];
      for (std::size_t i = 1; i < classes; ++i) {
        const bool is_higher = logits[i] > largest;  // no branch: which class it is, nobody can foresee
        highest += (i - highest) * static_cast<std::size_t>(is_higher);
        largest = std::max(largest, logits[i]);
      }
      best = highest;
      for (std::size_t i = 0; i < classes; ++i) {
        shifted[i] = logits[i] - largest;
      }
      logits += classes;
      shifted += classes;
    }
  });
  at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}).exp_();
  for_classes(predictions.class_count, [&](auto classes) {
    for (std::size_t row = 0; row < values.size(); row += classes) {
      float* const exponentials = values.data() + row;
      float sum = 0;
      for (std::size_t i = 0; i < classes; ++i) {
        sum += exponentials[i];
      }
      for (std::size_t i = 0; i < classes; ++i) {
        exponentials[i] /= sum;
      }
    }
  });
}

}  // namespace

Classifier Classifier::open(const std::string& path, const ClassifierOptions& options) {
  const std::string place = path == "-" ? "stdin" : path;
  const ModelFile file = read_model_file(path);
  const auto* archive = std::get_if<Pt2Archive>(&file);
  const bool is_for_cpu = archive != nullptr && archive->device() == "cpu" && options.device == "auto";
  const c10::Device device = resolve_device(is_for_cpu ? "cpu" : options.device);
  auto impl = std::make_unique<Impl>(Impl{place, device, nullptr, {}, {}});
  try {
    impl->network = std::visit([&](const auto& form) { return make_network(form, options, device); }, file);
  } catch (const UsageError& error) {
    throw UsageError(place + ": " + error.what());
  } catch (const FormatError& error) {
    throw FormatError(place + ": " + error.what());
  } catch (const InputError& error) {
    throw InputError(place + ": " + error.what());
  }
  const std::size_t known = impl->network->names.features.size();
  if (known > 0 && !options.features.empty() && options.features.size() != known) {
    impl->fail("the model takes " + std::to_string(known) + " features, but --features names " +
               std::to_string(options.features.size()));
  }
  impl->features = options.features.empty() ? impl->network->names.features : options.features;
  impl->labels = options.labels.empty() ? impl->network->names.labels : options.labels;
  return Classifier(std::move(impl));
}

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const std::vector<std::string>& Classifier::features() const { return impl_->features; }
const std::vector<std::string>& Classifier::known_labels() const { return impl_->labels; }

std::vector<std::string> Classifier::labels(std::size_t class_count) const {
  std::vector<std::string> labels = impl_->labels;
  for (std::size_t i = labels.size(); labels.size() < class_count; ++i) {
    labels.push_back(std::to_string(i));
  }
  return labels;
}

at::Tensor Classifier::Impl::forward(std::span<const float> rows, std::size_t row_count) const {
  const auto n = static_cast<std::int64_t>(row_count);
  const auto feature_count = static_cast<std::int64_t>(rows.size() / row_count);
  at::Tensor logits;
  try {
    const at::Tensor input =
        at::from_blob(const_cast<float*>(rows.data()), {n, feature_count}, at::TensorOptions().dtype(at::kFloat));
    logits = network->forward(input.to(device));
    if (logits.defined() && logits.is_floating_point()) {
      logits = logits.to(at::kCPU, at::kFloat).contiguous();
    }
  } catch (const std::exception& error) {
    throw RowsError(path + ": the model failed on " + std::to_string(feature_count) +
                    " features: " + message_of(error));
  }
  if (!logits.defined() || !logits.is_floating_point()) {
    fail("the model gives no float tensor; a classifier gives logits (rows, classes)");
  }
  if (logits.dim() != 2 || logits.size(0) != n || logits.size(1) < 2) {
    fail("the model gives outputs of shape " + shape_text(logits.sizes().vec()) + " for " + std::to_string(n) +
         (n == 1 ? " row" : " rows") + "; a classifier gives (rows, classes), of 2 classes or more");
  }
  return logits;
}

void Classifier::predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const {
  const torch::NoGradGuard no_grad;  // per thread, so taken here and not once
  const std::size_t feature_count = rows.size() / row_count;
  if (!impl_->features.empty() && feature_count != impl_->features.size()) {
    impl_->fail("the model takes " + std::to_string(impl_->features.size()) + " features, not " +
                std::to_string(feature_count));
  }
  const at::Tensor logits = impl_->forward(rows, row_count);
  predictions.class_count = static_cast<std::size_t>(logits.size(1));
  if (!impl_->labels.empty() && predictions.class_count != impl_->labels.size()) {
    impl_->fail("the model has " + std::to_string(predictions.class_count) + " classes, but there are " +
                std::to_string(impl_->labels.size()) + " labels; name each class once with --labels");
  }
  const auto* first = logits.const_data_ptr<float>();
  predictions.logits.assign(first, first + logits.numel());
  if (!are_finite(predictions.logits)) {
    throw NotFiniteError(impl_->path + ": the model gives logits that are not finite");
  }
  softmax(predictions);
}

Predictions Classifier::predict(std::span<const float> rows, std::size_t row_count) const {
  Predictions predictions;
  predict(rows, row_count, predictions);
  return predictions;
}

}  // namespace iris
