#include "train/checkpoint_checks.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "model/file/model_names.h"

namespace iris {
namespace {

// IrisNet's tensors, and no others, as Python's parameters lie in memory.
void check_weights(const std::string& name, const StateDict& weights, std::int64_t hidden) {
  const auto classes = static_cast<std::int64_t>(iris_labels().size());
  const auto features = static_cast<std::int64_t>(iris_features().size());
  const std::vector<std::pair<std::string, std::vector<std::int64_t>>> expected = {{"fc1.weight", {hidden, features}},
                                                                                   {"fc1.bias", {hidden}},
                                                                                   {"fc2.weight", {classes, hidden}},
                                                                                   {"fc2.bias", {classes}}};
  bool fits = weights.size() == expected.size();
  for (std::size_t i = 0; fits && i < expected.size(); ++i) {
    const at::Tensor& tensor = weights[i].value();
    fits = weights[i].key() == expected[i].first && tensor.sizes() == expected[i].second &&
           tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.isfinite().all().item<bool>();
  }
  if (!fits) {
    throw FormatError(name + " is not that of an IrisNet of " + std::to_string(hidden) +
                      " hidden units, in finite float32 numbers");
  }
}

// Every number finite, those of the validation there where there is one.
bool is_whole(const EpochRecord& record, std::int64_t epoch, bool validates) {
  bool is = record.epoch == epoch && record.validation_loss.has_value() == validates &&
            record.validation_accuracy.has_value() == validates;
  for (const double value : {record.loss, record.accuracy, record.test_loss, record.test_accuracy,
                             record.validation_loss.value_or(0), record.validation_accuracy.value_or(0)}) {
    is = is && std::isfinite(value);
  }
  return is;
}

void check_history(const Checkpoint& checkpoint) {
  if (static_cast<std::int64_t>(checkpoint.history.size()) != checkpoint.epoch) {
    throw FormatError("history does not have a record for each of " + std::to_string(checkpoint.epoch) + " epochs");
  }
  std::int64_t epoch = 0;
  for (const EpochRecord& record : checkpoint.history) {
    ++epoch;
    if (!is_whole(record, epoch, checkpoint.config.patience.has_value())) {
      throw FormatError("history has no whole record of epoch " + std::to_string(epoch));
    }
  }
}

void check_best(const Checkpoint& checkpoint) {
  if (checkpoint.best.has_value() != (checkpoint.config.patience.has_value() && checkpoint.epoch > 0)) {
    throw FormatError("best does not go with config.patience");
  }
  if (!checkpoint.best) {
    return;
  }
  check_weights("best.model_state_dict", checkpoint.best->state_dict, checkpoint.config.hidden);
  const auto lowest = std::min_element(
      checkpoint.history.begin(), checkpoint.history.end(),
      [](const EpochRecord& a, const EpochRecord& b) { return a.validation_loss < b.validation_loss; });
  if (lowest->epoch != checkpoint.best->epoch) {
    throw FormatError("best is not that of history");
  }
}

}  // namespace

void check_checkpoint(const Checkpoint& checkpoint) {
  const TrainConfig& config = checkpoint.config;
  check_weights("model_state_dict", checkpoint.model, config.hidden);
  if (checkpoint.epoch > config.epochs || (checkpoint.epoch == 0 && checkpoint.batch == 0)) {
    throw FormatError("epoch is not one of " + std::to_string(config.epochs));
  }
  if (!(checkpoint.loss_sum >= 0) || !std::isfinite(checkpoint.loss_sum) ||
      (checkpoint.batch == 0 && checkpoint.loss_sum != 0)) {
    throw FormatError("loss_sum is not that of " + std::to_string(checkpoint.batch) + " batches");
  }
  check_history(checkpoint);
  check_best(checkpoint);
}

}  // namespace iris
