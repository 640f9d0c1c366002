#include "train/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>

#include "error.h"
#include "io/interrupt.h"
#include "model/file/model_names.h"
#include "tensor_file/crc32.h"

namespace iris {
namespace {

at::Tensor rng_state() { return at::detail::getDefaultCPUGenerator().get_state(); }

// Takes a random `fraction` of each class out of the rows: rounded, at least one row, never all. The part and the other
// rows keep their order.
TrainingRows take_part(TrainingRows& rows, double fraction, const std::string& data, const char* why_two) {
  at::Tensor in_part = at::zeros(rows.count(), at::kBool);
  const std::vector<std::string> labels = iris_labels();
  const at::Tensor counts = at::bincount(rows.labels, {}, static_cast<std::int64_t>(labels.size()));
  if ((counts > 0).sum().item<std::int64_t>() < 2) {
    const std::string& label = labels[static_cast<std::size_t>(rows.labels[0].item<std::int64_t>())];
    throw InputError(data + ": only one class: " + label + "; training needs at least two");
  }
  for (std::size_t label = 0; label < labels.size(); ++label) {
    const at::Tensor members = (rows.labels == static_cast<std::int64_t>(label)).nonzero().flatten();
    const std::int64_t count = members.size(0);
    if (count == 0) {
      continue;
    }
    if (count < 2) {
      throw InputError(data + ": only one flower of " + labels[label] + why_two);
    }
    const auto rounded = static_cast<std::int64_t>(static_cast<double>(count) * fraction + 0.5);
    const at::Tensor order = at::randperm(count, at::kLong);
    in_part.index_put_({members.index({order.slice(0, 0, std::clamp<std::int64_t>(rounded, 1, count - 1))})}, true);
  }
  TrainingRows part = {rows.features.index({in_part}), rows.labels.index({in_part})};
  rows = {rows.features.index({~in_part}), rows.labels.index({~in_part})};
  return part;
}

TrainingRows on(const TrainingRows& rows, c10::Device device) {
  return {rows.features.to(device), rows.labels.to(device)};
}

StateDict copy_of(StateDict state_dict) {
  for (auto& item : state_dict) {
    item.value() = item.value().clone();
  }
  return state_dict;
}

}  // namespace

std::int64_t data_crc32(const LabelledRows& rows) {
  const auto features = std::as_bytes(std::span(rows.features));
  const auto labels = std::as_bytes(std::span(rows.labels));
  std::vector<std::byte> bytes(features.begin(), features.end());
  bytes.insert(bytes.end(), labels.begin(), labels.end());
  return crc32(bytes);
}

Trainer::Trainer(const TrainConfig& config, const LabelledRows& rows, const std::string& data, c10::Device device)
    : config_(config) {
  torch::manual_seed(static_cast<std::uint64_t>(config.seed));
  net_ = IrisNet(IrisNetOptions().hidden(config.hidden));
  const auto count = static_cast<std::int64_t>(rows.labels.size());
  TrainingRows training = {torch::tensor(rows.features).view({count, -1}), torch::tensor(rows.labels)};
  test_ =
      on(take_part(training, config.test_fraction, data, "; a class needs two, one to train and one to test"), device);
  if (config.patience) {
    validation_ = on(take_part(training, *config.validation_fraction, data,
                               " is left to train with; --patience needs one more, to validate with"),
                     device);
  }
  training_ = on(training, device);
  net_->to(device);
  optimizer_.emplace(net_->parameters(), config);
  rng_state_ = rng_state();
}

void Trainer::restore(const Checkpoint& checkpoint) {
  if (checkpoint.batch > (training_.count() - 1) / config_.batch_size) {
    throw FormatError("batch: an epoch has fewer batches");
  }
  best_.reset();
  if (checkpoint.best) {
    load_state_dict(*net_, checkpoint.best->state_dict);
    best_ = BestWeights{checkpoint.best->epoch, copy_of(state_dict())};
  }
  load_state_dict(*net_, checkpoint.model);
  optimizer_->load(checkpoint.optimizer);
  try {
    TORCH_CHECK(checkpoint.rng_state.sizes() == rng_state_.sizes());
    at::Generator(at::detail::getDefaultCPUGenerator()).set_state(checkpoint.rng_state);
  } catch (const c10::Error&) {
    throw FormatError("rng_state is not one of this generator");
  }
  rng_state_ = checkpoint.rng_state.clone();
  epoch_ = checkpoint.epoch;
  batch_ = checkpoint.batch;
  loss_sum_ = checkpoint.loss_sum;
  history_ = checkpoint.history;
}

bool Trainer::run_epoch() {
  net_->train();
  const at::Tensor order = at::randperm(training_.count(), at::kLong).to(training_.features.device());
  for (std::int64_t start = batch_ * config_.batch_size; start < training_.count(); start += config_.batch_size) {
    const at::Tensor batch = order.slice(0, start, start + config_.batch_size);
    optimizer_->zero_grad();
    const at::Tensor loss =
        at::cross_entropy_loss(net_->forward(training_.features.index({batch})), training_.labels.index({batch}));
    loss.backward();
    optimizer_->step();
    const double batch_loss = loss.item<float>();
    require_finite(batch_loss);
    loss_sum_ += batch_loss * static_cast<double>(batch.size(0));
    ++batch_;
    if (is_interrupted() && start + config_.batch_size < training_.count()) {
      require_finite_state();
      return false;
    }
  }
  end_epoch();
  return true;
}

void Trainer::end_epoch() {
  const Measures test = measure_test();
  EpochRecord record{epoch_ + 1, loss_sum_ / static_cast<double>(training_.count()), measure_training().accuracy,
                     test.loss, test.accuracy};
  require_finite(record.loss);
  require_finite(record.test_loss);
  if (config_.patience) {
    const Measures validation = measure(validation_);
    require_finite(validation.loss);
    record.validation_loss = validation.loss;
    record.validation_accuracy = validation.accuracy;
    if (!best_ || validation.loss < history_[static_cast<std::size_t>(best_->epoch) - 1].validation_loss) {
      best_ = BestWeights{record.epoch, copy_of(state_dict())};
    }
  }
  require_finite_state();
  history_.push_back(record);
  ++epoch_;
  batch_ = 0;
  loss_sum_ = 0;
  rng_state_ = rng_state();
}

Measures Trainer::measure(const TrainingRows& rows) {
  const torch::NoGradGuard no_grad;
  net_->eval();
  const at::Tensor logits = net_->forward(rows.features);
  const auto correct = (logits.argmax(1) == rows.labels).sum().item<std::int64_t>();
  return {at::cross_entropy_loss(logits, rows.labels).item<float>(),
          static_cast<double>(correct) / static_cast<double>(rows.count())};
}

void Trainer::finish() {
  if (best_) {
    load_state_dict(*net_, best_->state_dict);
  }
}

void Trainer::require_finite_state() const {
  for (const auto& [state, what] :
       {std::pair(state_dict(), "weights are"), {optimizer_->state(), "optimizer's state is"}}) {
    for (const auto& item : state) {
      if (!item.value().isfinite().all().item<bool>()) {
        fail_diverged(std::string("the ") + what + " not finite");
      }
    }
  }
}

void Trainer::require_finite(double loss) const {
  if (!std::isfinite(loss)) {
    fail_diverged(std::string("the loss is ") + (std::isnan(loss) ? "nan" : "inf"));
  }
}

void Trainer::fail_diverged(const std::string& what) const {
  char lr[32];
  std::snprintf(lr, sizeof lr, "%g", config_.lr);
  throw Diverged("training diverged at epoch " + std::to_string(epoch_ + 1) + ": " + what + "; try a --lr below " + lr);
}

}  // namespace iris
