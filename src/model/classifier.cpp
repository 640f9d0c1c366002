#include "model/classifier.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "error.h"
#include "model/device.h"
#include "model/device_passes.h"
#include "model/network.h"
#include "model/torch_errors.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_writer.h"
#include "text.h"
#include "with_place.h"

namespace iris {

struct Classifier::Impl {
  std::string path;
  c10::Device device;
  at::ScalarType dtype;
  std::unique_ptr<Network> network = {};
  std::unique_ptr<DevicePasses> passes = {};  // on a device other than the CPU
  std::vector<std::string> features = {};
  std::vector<std::string> labels = {};
  // The most rows per pass for which there was memory.
  std::atomic<std::size_t> most_rows = std::numeric_limits<std::size_t>::max();

  [[noreturn]] void fail(const std::string& fact, Choice choice = {}) const {
    throw InputError(path + ": " + fact, std::move(choice));
  }

  void append_logits(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const;
  // The module's logits: float32 [row_count, classes] on the CPU.
  at::Tensor forward(std::span<const float> rows, std::size_t row_count) const;
  // The module's output.
  at::Tensor output_of(const at::Tensor& rows) const;
  [[noreturn]] void fail(const std::exception& error, std::size_t feature_count, std::size_t row_count) const;
};

namespace {

constexpr const char* kOnlyStateDicts = "a key or a width is for state_dicts only; leave it out";

std::unique_ptr<Network> make_network(const Pt2Archive& archive, const ClassifierOptions& options, c10::Device device,
                                      ModelNames& /*names*/) {
  if (options.key || options.hidden) {
    throw UsageError("is an AOTInductor package; " + std::string(kOnlyStateDicts),
                     {options.key ? Choice::Of::kKey : Choice::Of::kHidden});
  }
  return make_aoti_network(archive, device);
}

// names: the file's; changed where the network turns out to be another than the file says.
std::unique_ptr<Network> make_network(const TensorFile& file, const ClassifierOptions& options, c10::Device device,
                                      ModelNames& names) {
  verify_data(file);
  if (file.is_torchscript) {
    if (auto network = make_torchscript_network(file, device)) {
      if (options.key || options.hidden) {
        throw UsageError("is a TorchScript module; " + std::string(kOnlyStateDicts),
                         {options.key ? Choice::Of::kKey : Choice::Of::kHidden});
      }
      return network;
    }
    names = {iris_features(), iris_labels()};
  }
  return make_iris_network(file, options.key, options.hidden, device);
}

at::ScalarType scalar_type_of(WeightDtype dtype) {
  switch (dtype) {
    case WeightDtype::kFloat32:
      return at::kFloat;
    case WeightDtype::kBFloat16:
      return at::kBFloat16;
    case WeightDtype::kFloat16:
      return at::kHalf;
  }
  return at::kFloat;
}

// A smaller number is not remembered: a server that is short of memory now and then would end at one row per pass.
constexpr std::size_t kLeastMostRows = 64;

// Without a branch in the loop, so that it is vectorized.
bool are_finite(const std::vector<float>& values) {
  constexpr std::uint32_t kExponent = 0x7F800000;  // all ones: infinite, or not a number
  std::uint32_t found = 0;
  for (const float value : values) {
    found |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1U : 0U;
  }
  return found == 0;
}

// Calls the function with the number of classes, a compile-time constant for the three of Iris.
template <typename Function>
void for_classes(std::size_t classes, const Function& function) {
  if (classes == 3) {
    function(std::integral_constant<std::size_t, 3>());
  } else {
    function(classes);
  }
}

// Fills in the best classes and the probabilities. at::softmax over such short rows takes longer than the forward pass.
// at::exp over all rows at once does not.
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
        const bool is_higher = logits[i] > largest;  // no branch: it could not be predicted
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
  const ModelFile file = read_model_file(path, options.reading);
  const at::ScalarType dtype = scalar_type_of(options.dtype.value_or(WeightDtype::kFloat32));
  const auto* archive = std::get_if<Pt2Archive>(&file);
  const bool is_for_cpu =
      archive != nullptr && archive->device() == "cpu" && options.device.kind == DeviceName::Kind::kAuto;
  const c10::Device device = resolve_device(is_for_cpu ? DeviceName("cpu") : options.device).device;
  std::unique_ptr<Impl> impl(new Impl{text::input_name(path), device, dtype});
  ModelNames names;
  with_place(impl->path, [&] {
    names = names_of(file);
    try {
      impl->network = std::visit([&](const auto& form) { return make_network(form, options, device, names); }, file);
      if (options.dtype) {
        impl->network->to(dtype);
      }
      if (device.is_cuda()) {
        impl->passes = std::make_unique<DevicePasses>(device);
      }
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      if (is_out_of_memory(error)) {
        throw InputError("the model does not fit into the memory of " + device.str() + "; use another device",
                         {Choice::Of::kDevice});
      }
      throw;
    }
  });
  const std::size_t known = names.features.size();
  if (known > 0 && !options.features.empty() && options.features.size() != known) {
    impl->fail("the model takes " + std::to_string(known) + " features, but " +
                   std::to_string(options.features.size()) + " are named",
               {Choice::Of::kFeatures});
  }
  impl->features = options.features.empty() ? names.features : options.features;
  impl->labels = options.labels.empty() ? names.labels : options.labels;
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

bool Classifier::is_on_cpu() const { return impl_->device.is_cpu(); }

std::size_t Classifier::usual_batch_size() const {
  constexpr std::size_t kOnCpu = 4096;   // stays in its caches
  constexpr std::size_t kOnGpu = 65536;  // computes for longer than a kernel takes to start
  return is_on_cpu() ? kOnCpu : kOnGpu;
}

at::Tensor Classifier::Impl::output_of(const at::Tensor& rows) const {
  if (passes) {
    return passes->run(*network, rows, dtype);
  }
  const at::Tensor output = network->forward(rows.to(dtype));
  return output.defined() && output.is_floating_point() ? output.to(at::kCPU, at::kFloat).contiguous() : output;
}

void Classifier::Impl::fail(const std::exception& error, std::size_t feature_count, std::size_t row_count) const {
  if (is_out_of_memory(error)) {
    const bool is_one = row_count == 1;
    throw OutOfMemory(path + ": out of memory on " + device.str() + " with " + std::to_string(row_count) +
                          (is_one ? " row; use another device" : " rows at once; pass fewer"),
                      {is_one ? Choice::Of::kDevice : Choice::Of::kRowsAtOnce});
  }
  if (is_device_lost(error)) {
    throw DeviceLost(path + ": " + device.str() + " failed, and answers nothing more: " + message_of(error) +
                     "; start again");
  }
  throw RowsError(path + ": the model failed on " + std::to_string(feature_count) + " features: " + message_of(error));
}

void Classifier::Impl::append_logits(std::span<const float> rows, std::size_t row_count,
                                     Predictions& predictions) const {
  const at::Tensor logits = forward(rows, row_count);
  const auto class_count = static_cast<std::size_t>(logits.size(1));
  if (!labels.empty() && class_count != labels.size()) {
    fail("the model has " + std::to_string(class_count) + " classes, but there are " + std::to_string(labels.size()) +
             " labels; name each class once",
         {Choice::Of::kLabels});
  }
  if (!predictions.logits.empty() && class_count != predictions.class_count) {
    fail("the model gives " + std::to_string(class_count) + " classes, and gave " +
         std::to_string(predictions.class_count) + " before");
  }
  predictions.class_count = class_count;
  const auto* first = logits.const_data_ptr<float>();
  predictions.logits.insert(predictions.logits.end(), first, first + logits.numel());
}

at::Tensor Classifier::Impl::forward(std::span<const float> rows, std::size_t row_count) const {
  const auto n = static_cast<std::int64_t>(row_count);
  const std::size_t feature_count = rows.size() / row_count;
  at::Tensor logits;
  try {
    logits = output_of(at::from_blob(const_cast<float*>(rows.data()), {n, static_cast<std::int64_t>(feature_count)},
                                     at::TensorOptions().dtype(at::kFloat)));
  } catch (const std::exception& error) {
    fail(error, feature_count, row_count);
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
  const torch::NoGradGuard no_grad;       // per thread, so it is taken for every call
  at::internal::lazy_init_num_threads();  // per thread too: otherwise MKL uses all cores, even for a small product
  const std::size_t feature_count = rows.size() / row_count;
  if (!impl_->features.empty() && feature_count != impl_->features.size()) {
    impl_->fail("the model takes " + std::to_string(impl_->features.size()) + " features, not " +
                std::to_string(feature_count));
  }
  predictions.logits.clear();
  std::size_t most_rows = impl_->most_rows;
  bool is_halved = false;
  for (std::size_t start = 0; start < row_count;) {
    const std::size_t count = std::min(row_count - start, most_rows);
    try {
      impl_->append_logits(rows.subspan(start * feature_count, count * feature_count), count, predictions);
      start += count;
    } catch (const OutOfMemory&) {
      if (is_halved || count == 1) {
        throw;
      }
      is_halved = true;
      most_rows = (count + 1) / 2;
    }
  }
  if (is_halved) {
    impl_->most_rows = std::max(most_rows, kLeastMostRows);
  }
  if (!are_finite(predictions.logits)) {
    throw NotFiniteError(impl_->path + ": the model gives logits that are not finite" +
                         (impl_->dtype == at::kHalf ? "; float16 ends at 65504" : ""));
  }
  softmax(predictions);
}

Predictions Classifier::predict(std::span<const float> rows, std::size_t row_count) const {
  Predictions predictions;
  predict(rows, row_count, predictions);
  return predictions;
}

}  // namespace iris
