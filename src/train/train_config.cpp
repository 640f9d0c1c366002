#include "train/train_config.h"

#include <cstdio>
#include <cstdlib>

#include "error.h"
#include "text.h"

namespace iris {
namespace {

std::string text_of(const std::string& value) { return text::printable(value); }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) {
  char text[32];
  for (const char* format : {"%g", "%.15g", "%.17g"}) {  // as short as tells it from others
    std::snprintf(text, sizeof text, format, value);
    if (std::strtod(text, nullptr) == value) {
      break;
    }
  }
  return text;
}
template <typename T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "none";
}

template <typename Typed, typename Known>
void refuse_other(const char* option, const std::optional<Typed>& typed, const Known& known, const std::string& place) {
  if (typed && known != *typed) {
    throw InputError(std::string(option) + " " + text_of(*typed) + " contradicts " + place + ", which has " +
                     text_of(known) + "; leave it out, or start anew without --resume");
  }
}

}  // namespace

TrainConfig TypedConfig::with_defaults() const {
  TrainConfig config;
  config.optimizer = optimizer.value_or(config.optimizer);
  const bool is_sgd = config.optimizer == "sgd";
  if (momentum && !is_sgd) {
    throw UsageError("--momentum is for --optimizer sgd");
  }
  if (validation_fraction && !patience) {
    throw UsageError("--validation-fraction is for --patience");
  }
  config.lr = lr.value_or(0.005);
  config.weight_decay = weight_decay.value_or(config.optimizer == "adamw" ? 0.01 : 0.0);
  config.momentum = momentum.value_or(is_sgd ? 0.9 : 0.0);
  config.epochs = epochs.value_or(config.epochs);
  config.batch_size = batch_size.value_or(config.batch_size);
  config.hidden = hidden.value_or(config.hidden);
  config.seed = seed.value_or(config.seed);
  config.test_fraction = test_fraction.value_or(config.test_fraction);
  config.patience = patience;
  if (patience) {
    config.validation_fraction = validation_fraction.value_or(0.2);
  }
  config.label_column = label_column.value_or(config.label_column);
  return config;
}

TrainConfig TypedConfig::resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                                 const std::string& place) const {
  refuse_other("--optimizer", optimizer, config.optimizer, place);
  refuse_other("--lr", lr, config.lr, place);
  refuse_other("--weight-decay", weight_decay, config.weight_decay, place);
  refuse_other("--momentum", momentum, config.momentum, place);
  refuse_other("--batch-size", batch_size, config.batch_size, place);
  refuse_other("--hidden", hidden, config.hidden, place);
  refuse_other("--seed", seed, config.seed, place);
  refuse_other("--test-fraction", test_fraction, config.test_fraction, place);
  refuse_other("--patience", patience, config.patience, place);
  refuse_other("--validation-fraction", validation_fraction, config.validation_fraction, place);
  refuse_other("--label-column", label_column, config.label_column, place);
  config.epochs = epochs.value_or(config.epochs);
  const std::string asked = "--epochs " + text_of(config.epochs) + ": " + place;
  if (config.epochs < epochs_done) {
    throw InputError(asked + " has " + text_of(epochs_done) + " epochs done");
  }
  if (config.epochs == epochs_done && batches_done > 0) {
    throw InputError(asked + " has begun epoch " + text_of(epochs_done + 1));
  }
  return config;
}

}  // namespace iris
