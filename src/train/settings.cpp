#include "train/settings.h"

#include <cstdio>
#include <cstdlib>

#include "error.h"
#include "text.h"

namespace iris {
namespace {

std::string text_of(Optimizer value) { return name_of(value); }
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

}  // namespace

const char* TrainConfig::fault() const {
  const char* name = nullptr;
  visit_settings(
      [&name](const auto& setting, const auto& member) {
        if (name == nullptr && !setting.range.has(member)) {
          name = setting.name;
        }
      },
      *this);
  if (name == nullptr && validation_fraction.has_value() != patience.has_value()) {
    name = "validation_fraction";
  }
  return name;
}

TrainConfig TypedConfig::with_defaults() const {
  TrainConfig config;
  visit_settings(
      [&config](const auto& setting, const auto& typed, auto& chosen) {
        const bool lacks_sgd = setting.goes_with == GoesWith::kSgd && config.optimizer != Optimizer::kSgd;
        const bool lacks_patience = setting.goes_with == GoesWith::kPatience && !config.patience;
        const bool is_adamw = config.optimizer == Optimizer::kAdamW;
        const auto& standard = is_adamw && setting.standard_of_adamw ? setting.standard_of_adamw : setting.standard;
        if (typed && (lacks_sgd || lacks_patience)) {
          throw UsageError(option_name(setting.name) + " is for " + (lacks_sgd ? "--optimizer sgd" : "--patience"));
        }
        if (typed || (standard && !lacks_sgd && !lacks_patience)) {
          chosen = typed ? *typed : *standard;
        }
      },
      *this, config);
  return config;
}

TrainConfig TypedConfig::resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                                 const std::string& place) const {
  TypedConfig unchangeable = *this;
  unchangeable.epochs.reset();
  visit_settings(
      [&place](const auto& setting, const auto& typed, const auto& known) {
        if (typed && known != *typed) {
          throw InputError(option_name(setting.name) + " " + text_of(*typed) + " contradicts " + place +
                           ", which has " + text_of(known) + "; leave it out, or start anew without --resume");
        }
      },
      unchangeable, config);
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
