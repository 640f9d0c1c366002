// The settings that decide the numbers of a training run: one table with all facts about each. The options, the
// defaults, a checkpoint's `config` and the comparison on resume are made from it.
// python_export/iris_export/train_settings.py has the same table. What is defined here needs no library, so the program
// may include it without LibTorch.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace iris {

enum class Optimizer : std::uint8_t { kAdam, kAdamW, kSgd };
inline constexpr std::array kOptimizers = {Optimizer::kAdam, Optimizer::kAdamW, Optimizer::kSgd};
inline constexpr std::array kOptimizerNames = {"adam", "adamw", "sgd"};

constexpr const char* name_of(Optimizer optimizer) { return kOptimizerNames[static_cast<std::size_t>(optimizer)]; }

constexpr std::optional<Optimizer> optimizer_named(std::string_view name) {
  for (const Optimizer optimizer : kOptimizers) {
    if (name == name_of(optimizer)) {
      return optimizer;
    }
  }
  return std::nullopt;
}

// From `least` to `most`, both included. Where they are equal, any value is in the range.
template <typename T>
struct Range {
  T least{};
  T most{};
  const char* words = "";  // for messages: what a number must be

  constexpr bool has(const T& value) const { return least == most || (value >= least && value <= most); }
  constexpr bool has(const std::optional<T>& value) const { return !value || has(*value); }
};

inline constexpr double kAboveZero = std::numeric_limits<double>::denorm_min();      // the least number above 0
inline constexpr double kBelowOne = 1 - std::numeric_limits<double>::epsilon() / 2;  // the largest number below 1
inline constexpr double kLargest = std::numeric_limits<double>::max();
inline constexpr Range<double> kFraction = {kAboveZero, kBelowOne, "above 0 and below 1"};
inline constexpr Range<std::int64_t> kCount = {1, (std::int64_t{1} << 31) - 1};

// The runs in which a setting means something.
enum class GoesWith : std::uint8_t { kEveryRun, kSgd, kPatience };

template <typename T>
struct Setting {
  const char* name;  // in a checkpoint: "weight_decay"; the option is --weight-decay
  const char* help;  // of the option, without the default
  Range<T> range;
  std::optional<T> standard;                // the default; nullopt: the run goes without
  std::optional<T> standard_of_adamw = {};  // where it has another one
  GoesWith goes_with = GoesWith::kEveryRun;
};

// As = std::type_identity_t: what a run trains with. As = std::optional: what the user typed.
template <template <typename> typename As>
struct Settings {
  As<Optimizer> optimizer{};
  As<double> lr{};
  As<double> weight_decay{};
  As<double> momentum{};  // of sgd
  As<std::int64_t> epochs{};
  As<std::int64_t> batch_size{};
  As<std::int64_t> hidden{};
  As<std::int64_t> seed{};
  As<double> test_fraction{};                 // of each class, held out
  std::optional<std::int64_t> patience;       // epochs without a lower validation loss that end the run; nullopt: none
  std::optional<double> validation_fraction;  // of each class's training rows, set aside for that
  As<std::string> label_column{};
};

// The table. Calls visit(setting, its member of each Settings…) for each, in the order of a checkpoint and of the help.
// A setting comes after what it goes with.
template <typename Visit, typename... All>
void visit_settings(Visit&& visit, All&... all) {
  using Number = Setting<double>;
  using Whole = Setting<std::int64_t>;
  visit(Setting<Optimizer>{"optimizer", "adam (default), adamw or sgd", {}, Optimizer::kAdam}, all.optimizer...);
  visit(Number{"lr", "Learning rate", {kAboveZero, kLargest, "a finite number above 0"}, 0.005}, all.lr...);
  visit(Number{"weight_decay", "Weight decay", {0, kLargest, "a finite number from 0"}, 0.0, 0.01},
        all.weight_decay...);
  visit(Number{"momentum", "Momentum of sgd", {0, kBelowOne, "from 0 to below 1"}, 0.9, {}, GoesWith::kSgd},
        all.momentum...);
  visit(Whole{"epochs", "Passes over the training rows", kCount, 50}, all.epochs...);
  visit(Whole{"batch_size", "Rows per step", kCount, 16}, all.batch_size...);
  visit(Whole{"hidden", "IrisNet's hidden units", {1, 1 << 20}, 16}, all.hidden...);
  visit(Whole{"seed", "Decides the first weights, the split and the order of the rows", {0, INT64_MAX}, 0},
        all.seed...);
  visit(Number{"test_fraction", "Share of each class that is held out", kFraction, 0.2}, all.test_fraction...);
  const char* const patience =
      "Stop once the validation loss has not been lower for N epochs, and keep the best weights";
  visit(Whole{"patience", patience, kCount, {}}, all.patience...);
  const char* const share = "With --patience: share of each class's training rows that is set aside for it";
  visit(Number{"validation_fraction", share, kFraction, 0.2, {}, GoesWith::kPatience}, all.validation_fraction...);
  visit(Setting<std::string>{"label_column", "The column that holds the classes", {}, "species"}, all.label_column...);
}

// "--weight-decay"
inline std::string option_name(std::string setting) {
  std::replace(setting.begin(), setting.end(), '_', '-');
  return "--" + setting;
}

// A checkpoint holds it, and a resumed run must agree with it.
struct TrainConfig : Settings<std::type_identity_t> {
  std::int64_t data_crc32 = 0;  // see data_crc32()
  std::string torch;            // LibTorch's version, "2.13.0"

  // Calls visit(name, member) for each, in the order of a checkpoint.
  template <typename Config, typename Visit>
  static void visit(Config& config, Visit&& visit) {
    visit_settings([&visit](const auto& setting, auto& member) { visit(setting.name, member); }, config);
    visit("data_crc32", config.data_crc32);
    visit("torch", config.torch);
  }

  // The first setting that is out of its range, or missing though the run needs it; nullptr: there is none.
  const char* fault() const;
};

struct TypedConfig : Settings<std::optional> {
  // With the defaults for the others; data_crc32 and torch are left empty. Throws UsageError for an option that means
  // something with another one only.
  TrainConfig with_defaults() const;

  // What a resumed run trains with: the checkpoint's settings; only the epochs may be more. Throws InputError where
  // another one differs, and for fewer epochs than are done or begun. place: of the checkpoint, for messages.
  TrainConfig resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                      const std::string& place) const;
};

}  // namespace iris
