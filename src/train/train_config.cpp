#include "train/train_config.h"

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

bool applies(GoesWith goes_with, const TrainConfig& config) {
  return goes_with == GoesWith::kSgd        ? config.optimizer == Optimizer::kSgd
         : goes_with == GoesWith::kPatience ? config.patience.has_value()
                                            : true;
}

const char* option_of(GoesWith goes_with) { return goes_with == GoesWith::kSgd ? "--optimizer sgd" : "--patience"; }

}  // namespace

const char* TrainConfig::fault() const {
  const char* name = nullptr;
  visit_settings(
      [&](const auto& setting, const auto& member) {
        bool is_possible = true;
        if constexpr (requires { member.has_value(); }) {
          const bool is_needed = setting.defaults[optimizer] && applies(setting.goes_with, *this);
          is_possible = member ? applies(setting.goes_with, *this) && setting.range.has(*member) : !is_needed;
        } else {
          is_possible = setting.range.has(member);
        }
        if (!is_possible && name == nullptr) {
          name = setting.name;
        }
      },
      *this);
  return name;
}

TrainConfig TypedConfig::with_defaults() const {
  TrainConfig config;
  visit_settings(
      [&config](const auto& setting, const auto& typed, auto& chosen) {
        const auto& standard = setting.defaults[config.optimizer];
        if (!applies(setting.goes_with, config)) {
          if (typed) {
            throw UsageError(option_name(setting.name) + " is for " + option_of(setting.goes_with));
          }
        } else if (typed) {
          chosen = *typed;
        } else if (standard) {
          chosen = *standard;
        }
      },
      *this, config);
  return config;
}

TrainConfig TypedConfig::resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                                 const std::string& place) const {
  visit_settings(
      [&place](const auto& setting, const auto& typed, const auto& known) {
        if (typed && known != *typed && !setting.may_grow) {
          throw InputError(option_name(setting.name) + " " + text_of(*typed) + " contradicts " + place +
                           ", which has " + text_of(known) + "; leave it out, or start anew without --resume");
        }
      },
      *this, config);
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
