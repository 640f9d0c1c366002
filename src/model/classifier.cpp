#include "model/classifier.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>

#include "error.h"
#include "model/answers.h"
#include "model/company.h"
#include "model/device.h"
#include "model/device_passes.h"
#include "model/network.h"
#include "model/torch_errors.h"
#include "rows/answer_writer.h"
#include "tensor_file/contents.h"
#include "tensor_file/dtype.h"
#include "tensor_file/selection.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

// How often rows are compared that say nothing, such as rows that are all alike.
constexpr int kComparisons = 16;

// A smaller number is not remembered: a server that is short of memory now and then would end at one row per pass.
constexpr std::size_t kLeastMostRows = 64;

void refuse_tensor_options(const ClassifierOptions& options, const std::string& form) {
  if (options.key || options.hidden) {
    throw UsageError("is " + form + "; a key or a width is for state_dicts only; leave it out",
                     {options.key ? Choice::Of::kKey : Choice::Of::kHidden});
  }
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

// torch's name without "torch.": "float64".
std::string name_of(at::ScalarType type) {
  const auto dtype = dtype_of_number(static_cast<std::int8_t>(type));
  return dtype ? std::string(name_of(*dtype)) : c10::toString(type);
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

// A network, and what the file says of it.
struct Opened {
  std::unique_ptr<Network> network;
  ModelNames names;
  std::string note = {};  // on what of the file was taken
};

Opened open_form(const TensorFile& file, const ClassifierOptions& options, c10::Device device) {
  auto network = make_iris_network(file, options.key, options.hidden, device);
  return {std::move(network), names_of(file), note_of_choice(file, options.key)};
}

Opened open_form(const TorchScriptArchive& archive, const ClassifierOptions& options, c10::Device device) {
  auto network = make_torchscript_network(*archive.file, device);
  if (network != nullptr) {
    refuse_tensor_options(options, "a TorchScript module");
    return {std::move(network), names_of(archive)};
  }
  const TensorFile tensors = read_tensor_file(OpenedFile(archive.file));
  try {
    return open_form(tensors, options, device);
  } catch (const InputError& error) {
    if (tensors.is_cpp_archive) {
      throw;
    }
    throw InputError(
        "is a TorchScript module without a method called forward, and not an IrisNet; export a module "
        "that has one");
  }
}

Opened open_form(const Pt2Archive& archive, const ClassifierOptions& options, c10::Device device) {
  refuse_tensor_options(options, "an AOTInductor package");
  return {make_aoti_network(archive, device), names_of(archive)};
}

}  // namespace

struct Classifier::Impl {
  std::string path;
  c10::Device device;
  at::ScalarType dtype;
  std::function<void(const std::string&, const Choice&)> tell;
  std::unique_ptr<Network> network = {};
  std::unique_ptr<DevicePasses> passes = {};  // on a device other than the CPU
  std::vector<std::string> features = {};
  std::vector<std::string> labels = {};
  std::optional<Outputs> outputs = {};
  // The most rows per pass for which there was memory.
  std::atomic<std::size_t> most_rows = std::numeric_limits<std::size_t>::max();
  std::atomic<bool> doubts_logits = false;  // until the first answers were looked at

  // Whether rows still have to be compared alone and in company, or were found to depend on each other.
  enum class Rows { kIndependent, kNotCompared, kDepend };
  std::atomic<Rows> rows = Rows::kNotCompared;
  std::mutex comparing = {};
  std::optional<RowsDepend> dependence = {};  // guarded
  int comparisons_left = kComparisons;        // guarded

  [[noreturn]] void fail(const std::string& fact, Choice choice = {}) const {
    throw InputError(path + ": " + fact, std::move(choice));
  }

  void check_features(std::span<const float> rows, std::size_t row_count) const;
  // Throws RowsDepend. Compares where the rows are two or more and nothing is known yet.
  void require_independent(std::span<const float> features, std::size_t row_count);
  void predict(Network& its_network, std::span<const float> its_rows, std::size_t row_count, Predictions& predictions);
  // The model's numbers for the rows, and what they mean. Throws what Classifier::predict throws.
  void run(Network& its_network, std::span<const float> features, std::size_t row_count, Predictions& predictions);
  void append_outputs(Network& its_network, std::span<const float> features, std::size_t row_count,
                      Predictions& predictions) const;
  // One pass: float32 [row_count, outputs] on the CPU.
  at::Tensor forward(Network& its_network, std::span<const float> features, std::size_t row_count) const;
  // The module's output.
  at::Tensor output_of(Network& its_network, const at::Tensor& features) const;
  // What the numbers are, for so many of them in a row.
  Outputs meaning_of(std::size_t output_count) const;
  // All but the outputs.
  void fill_in(Predictions& predictions);
  [[noreturn]] void fail(const std::exception& error, std::size_t feature_count, std::size_t row_count) const;
};

Classifier Classifier::open(const std::string& path, const ClassifierOptions& options) {
  const RunnableFile file = read_runnable_file(path, options.reading);
  const at::ScalarType dtype = scalar_type_of(options.dtype.value_or(WeightDtype::kFloat32));
  const auto* archive = std::get_if<Pt2Archive>(&file);
  const bool is_for_cpu =
      archive != nullptr && archive->device() == "cpu" && options.device.kind == DeviceName::Kind::kAuto;
  const c10::Device device = resolve_device(is_for_cpu ? DeviceName("cpu") : options.device).device;
  std::unique_ptr<Impl> impl(new Impl{text::input_name(path), device, dtype, options.tell});
  std::string note;
  const ModelNames names = with_place(impl->path, [&] {
    try {
      Opened opened = std::visit(
          [&](const auto& form) { return read_whole(form, [&] { return open_form(form, options, device); }); }, file);
      impl->network = std::move(opened.network);
      note = std::move(opened.note);
      if (options.dtype) {
        impl->network->to(dtype);
      }
      if (device.is_cuda()) {
        impl->passes = std::make_unique<DevicePasses>(device);
      }
      return std::move(opened.names);
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
  if (!note.empty()) {
    options.tell(impl->path + ": " + note, {});
  }
  const std::size_t known = names.features.size();
  if (known > 0 && !options.features.empty() && options.features.size() != known) {
    impl->fail("the model takes " + std::to_string(known) + " features, but " +
                   std::to_string(options.features.size()) + " are named",
               {Choice::Of::kFeatures});
  }
  impl->features = options.features.empty() ? names.features : options.features;
  impl->labels = options.labels.empty() ? names.labels : options.labels;
  impl->outputs = options.outputs ? options.outputs : names.outputs;
  impl->doubts_logits = !options.outputs && !impl->network->traits.has_independent_rows;
  if (impl->network->traits.has_independent_rows || !options.compares_rows) {
    impl->rows = Impl::Rows::kIndependent;
  }
  return Classifier(std::move(impl));
}

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const std::vector<std::string>& Classifier::features() const { return impl_->features; }
const std::vector<std::string>& Classifier::known_labels() const { return impl_->labels; }
std::optional<Outputs> Classifier::known_outputs() const { return impl_->outputs; }
bool Classifier::changes_itself() const { return impl_->network->traits.changes_itself; }
std::vector<std::size_t> Classifier::likely_feature_counts() const { return impl_->network->likely_feature_counts(); }
bool Classifier::has_independent_rows() const { return impl_->network->traits.has_independent_rows; }
bool Classifier::is_bounded() const { return impl_->network->traits.is_bounded; }

std::vector<std::string> Classifier::labels(const Predictions& predictions) const {
  return completed_labels(impl_->labels, predictions);
}

bool Classifier::is_on_cpu() const { return impl_->device.is_cpu(); }

std::size_t Classifier::usual_batch_size() const {
  constexpr std::size_t kMostOnCpu = 4096;
  constexpr std::size_t kLeastOnCpu = 256;     // fewer rows make a product slower
  constexpr std::size_t kCached = 256 * 1024;  // numbers that stay in a core's cache between two layers
  constexpr std::size_t kOnGpu = 65536;        // computes for longer than a kernel takes to start
  const std::size_t widest = std::max<std::size_t>(impl_->network->widest_layer(), 1);
  return is_on_cpu() ? std::clamp(kCached / widest, kLeastOnCpu, kMostOnCpu) : kOnGpu;
}

at::Tensor Classifier::Impl::output_of(Network& its_network, const at::Tensor& features_in) const {
  if (passes) {
    return passes->run(its_network, features_in, dtype);
  }
  const at::Tensor output = its_network.forward(features_in.to(dtype));
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
  const std::string message =
      "the model failed on " + std::to_string(feature_count) + " features: " + message_of(error);
  const auto its_dtype = network->dtype();
  if (its_dtype && *its_dtype != dtype) {
    fail(message + "; its weights are " + name_of(*its_dtype) + ", and the rows " + name_of(dtype),
         {Choice::Of::kDtype, name_of(dtype)});
  }
  const bool are_too_many = features.empty() && is_about_shapes(message);
  throw RowsError(path + ": " + message, is_raised_by_program(error),
                  are_too_many ? Choice{Choice::Of::kFeatures} : Choice());
}

at::Tensor Classifier::Impl::forward(Network& its_network, std::span<const float> its_rows,
                                     std::size_t row_count) const {
  const auto n = static_cast<std::int64_t>(row_count);
  const std::size_t feature_count = its_rows.size() / row_count;
  at::Tensor output;
  try {
    output = output_of(its_network,
                       at::from_blob(const_cast<float*>(its_rows.data()), {n, static_cast<std::int64_t>(feature_count)},
                                     at::TensorOptions().dtype(at::kFloat)));
  } catch (const RowsDepend&) {
    throw;  // predict adds the path
  } catch (const InputError& error) {
    throw InputError(path + ": " + error.what(), error.choice);
  } catch (const std::exception& error) {
    fail(error, feature_count, row_count);
  }
  if (!output.is_floating_point()) {
    fail("the model gives a tensor of " + name_of(output.scalar_type()) +
         "; float numbers are needed, (rows, classes)");
  }
  if (output.numel() == n && (output.dim() == 1 || (output.dim() == 0 && n == 1))) {
    return output.reshape({n, 1});  // squeezed
  }
  if (output.dim() != 2 || output.size(0) != n || output.size(1) < 1) {
    fail("the model gives outputs of shape " + shape_text(output.sizes().vec()) + " for " + std::to_string(n) +
         (n == 1 ? " row" : " rows") + "; a classifier gives (rows, classes)");
  }
  return output;
}

Outputs Classifier::Impl::meaning_of(std::size_t output_count) const {
  if (output_count == 1 && !outputs) {
    fail(
        "the model gives one number for each row; say whether it is the logit of two classes (logits), the second "
        "class's probability (probabilities) or a value (values)",
        {Choice::Of::kOutputs});
  }
  return outputs.value_or(Outputs::kLogits);
}

void Classifier::Impl::append_outputs(Network& its_network, std::span<const float> its_rows, std::size_t row_count,
                                      Predictions& predictions) const {
  const at::Tensor output = forward(its_network, its_rows, row_count);
  const auto output_count = static_cast<std::size_t>(output.size(1));
  if (!predictions.outputs.empty() && output_count != predictions.output_count) {
    fail("the model gives " + std::to_string(output_count) + " outputs, and gave " +
         std::to_string(predictions.output_count) + " before");
  }
  predictions.output_count = output_count;
  const auto* first = output.const_data_ptr<float>();
  predictions.outputs.insert(predictions.outputs.end(), first, first + output.numel());
}

void Classifier::Impl::run(Network& its_network, std::span<const float> its_rows, std::size_t row_count,
                           Predictions& predictions) {
  const std::size_t feature_count = its_rows.size() / row_count;
  predictions.outputs.clear();
  std::size_t most = most_rows;
  bool is_halved = false;
  for (std::size_t start = 0; start < row_count;) {
    const std::size_t count = std::min(row_count - start, most);
    try {
      append_outputs(its_network, its_rows.subspan(start * feature_count, count * feature_count), count, predictions);
      start += count;
    } catch (const OutOfMemory&) {
      if (is_halved || count == 1) {
        throw;
      }
      is_halved = true;
      most = (count + 1) / 2;
    }
  }
  if (is_halved) {
    most_rows = std::max(most, kLeastMostRows);
  }
  predictions.meaning = meaning_of(predictions.output_count);
  if (!are_finite(predictions.outputs)) {
    throw NotFiniteError(path + ": the model gives " +
                         (predictions.meaning == Outputs::kLogits ? "logits" : name_of(predictions.meaning)) +
                         " that are not finite" + (dtype == at::kHalf ? "; float16 ends at 65504" : ""));
  }
}

void Classifier::Impl::check_features(std::span<const float> its_rows, std::size_t row_count) const {
  const std::size_t feature_count = its_rows.size() / row_count;
  if (!features.empty() && feature_count != features.size()) {
    fail("the model takes " + std::to_string(features.size()) + " features, not " + std::to_string(feature_count));
  }
}

void Classifier::Impl::require_independent(std::span<const float> its_rows, std::size_t row_count) {
  if (rows == Rows::kIndependent || (rows == Rows::kNotCompared && row_count == 1)) {
    return;
  }
  const std::lock_guard one_at_a_time(comparing);
  if (dependence) {
    throw *dependence;
  }
  if (rows == Rows::kIndependent) {
    return;
  }
  const std::unique_ptr<Network> copy = network->copy();
  Network& trial = copy == nullptr ? *network : *copy;
  const Pass pass = [&](std::span<const float> some, std::size_t count) {
    Predictions predictions;
    run(trial, some, count, predictions);
    return predictions;
  };
  const std::size_t count = std::min(row_count, kComparedRows);
  try {
    const Company company = compare_company(pass, its_rows.first(its_rows.size() / row_count * count), count);
    if (!company.note.empty()) {
      tell(path + ": " + company.note, {});
    }
    if (company.is_known || --comparisons_left == 0) {
      rows = Rows::kIndependent;
    }
  } catch (const RowsDepend& error) {
    dependence = error;
    rows = Rows::kDepend;
    throw *dependence;
  }
}

void Classifier::Impl::fill_in(Predictions& predictions) {
  with_place(path, [&] { fill_in_answers(predictions); });
  if (doubts_logits.exchange(false)) {
    const std::string doubt = doubt_about_logits(predictions);
    if (!doubt.empty()) {
      tell(path + ": " + doubt, {Choice::Of::kOutputs, "probabilities"});
    }
  }
  const std::size_t count = predictions.label_count();
  if (!labels.empty() && count != labels.size()) {
    const bool has_classes = predictions.class_count > 0;
    fail("the model has " + std::to_string(count) + (has_classes ? " classes" : " values") + ", but there are " +
             std::to_string(labels.size()) +
             (has_classes ? " labels; name each class once" : " names; name each value once"),
         {Choice::Of::kLabels});
  }
}

void Classifier::Impl::predict(Network& its_network, std::span<const float> its_rows, std::size_t row_count,
                               Predictions& predictions) {
  const torch::NoGradGuard no_grad;       // per thread, so it is taken for every call
  at::internal::lazy_init_num_threads();  // per thread too: otherwise MKL uses all cores, even for a small product
  check_features(its_rows, row_count);
  try {
    require_independent(its_rows, row_count);
    run(its_network, its_rows, row_count, predictions);
  } catch (const RowsDepend& error) {
    throw RowsDepend(path + ": " + error.fact, error.way_out, error.choice);
  }
  fill_in(predictions);
}

void Classifier::predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const {
  impl_->predict(*impl_->network, rows, row_count, predictions);
}

Predictions Classifier::try_out(std::span<const float> rows, std::size_t row_count) const {
  const std::unique_ptr<Network> copy = impl_->network->copy();
  Predictions predictions;
  impl_->predict(copy == nullptr ? *impl_->network : *copy, rows, row_count, predictions);
  return predictions;
}

Predictions Classifier::predict(std::span<const float> rows, std::size_t row_count) const {
  Predictions predictions;
  predict(rows, row_count, predictions);
  return predictions;
}

}  // namespace iris
