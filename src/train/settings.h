// The settings that decide the numbers of a training run: one table with all facts about each. The options, the
// defaults, a checkpoint's `config` and the comparison on resume are made from it. python_export/train_settings.py has
// the same table. It needs neither LibTorch nor another library of ours: the program includes it, and so do its
// plug-ins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace iris {

enum class Optimizer : std::uint8_t { kAdam, kAdamW, kSgd };
inline constexpr std::array kOptimizers = {Optimizer::kAdam, Optimizer::kAdamW, Optimizer::kSgd};
inline constexpr std::array kOptimizerNames = {"adam", "adamw", "sgd"};
inline constexpr Optimizer kDefaultOptimizer = Optimizer::kAdam;

constexpr const char* name_of(Optimizer optimizer) { return kOptimizerNames[static_cast<std::size_t>(optimizer)]; }

constexpr std::optional<Optimizer> optimizer_named(std::string_view name) {
  for (const Optimizer optimizer : kOptimizers) {
    if (name == name_of(optimizer)) {
      return optimizer;
    }
  }
  return std::nullopt;
}

template <typename T>
using Known = T;

// As = Known: what a run trains with. As = std::optional: what the user typed.
template <template <typename> typename As>
struct Settings {
  As<Optimizer> optimizer{};
  As<double> lr{};
  As<double> weight_decay{};
  As<double> momentum{};
  As<std::int64_t> epochs{};
  As<std::int64_t> batch_size{};
  As<std::int64_t> hidden{};
  As<std::int64_t> seed{};
  As<double> test_fraction{};                 // of each class, held out
  std::optional<std::int64_t> patience;       // epochs without a lower validation loss that end the run; nullopt: none
  std::optional<double> validation_fraction;  // of each class's training rows, set aside for that
  As<std::string> label_column{};
};

struct AnyText {
  using Value = std::string_view;
  constexpr bool has(std::string_view) const { return true; }
};

struct AnyOptimizer {
  using Value = Optimizer;
  constexpr bool has(Optimizer) const { return true; }
};

struct WholeRange {
  using Value = std::int64_t;
  std::int64_t least;
  std::int64_t most;
  constexpr bool has(std::int64_t value) const { return value >= least && value <= most; }
};

// Finite numbers from `least`, or above it, to below `end`.
struct NumberRange {
  using Value = double;
  double least;
  bool has_least;
  double end;
  const char* words;  // what a value must be
  constexpr bool has(double value) const { return (has_least ? value >= least : value > least) && value < end; }
};

// The runs in which a setting means something.
enum class GoesWith : std::uint8_t { kEveryRun, kSgd, kPatience };

template <typename T>
struct PerOptimizer {
  std::optional<T> adam;
  std::optional<T> adamw;
  std::optional<T> sgd;

  constexpr const std::optional<T>& operator[](Optimizer optimizer) const {
    return optimizer == Optimizer::kSgd ? sgd : optimizer == Optimizer::kAdamW ? adamw : adam;
  }
};

template <typename T>
constexpr PerOptimizer<T> every(T value) {
  return {value, value, value};
}

template <typename ItsRange>
struct Setting {
  using Value = typename ItsRange::Value;
  const char* name;  // in a checkpoint: "weight_decay"; the option is --weight-decay
  int help_place;    // among the options: 0, 1, …
  const char* help;  // of the option, without the defaults
  ItsRange range;
  PerOptimizer<Value> defaults;  // none: the run goes without
  GoesWith goes_with = GoesWith::kEveryRun;
  bool may_grow = false;  // a resumed run may ask for more
};

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr WholeRange kCount = {1, (std::int64_t{1} << 31) - 1};
inline constexpr NumberRange kFraction = {0, false, 1, "above 0 and below 1"};

// The table. Calls visit(setting, the member of each struct…) for each setting, in the order of a checkpoint. A setting
// comes after what it goes with.
template <typename Visit, typename... Structs>
void visit_settings(Visit&& visit, Structs&... structs) {
  using OneOptimizer = Setting<AnyOptimizer>;
  using Number = Setting<NumberRange>;
  using Whole = Setting<WholeRange>;
  using Text = Setting<AnyText>;
  constexpr auto every_whole = every<std::int64_t>;
  visit(
      OneOptimizer{.name = "optimizer", .help_place = 2, .help = "", .range = {}, .defaults = every(kDefaultOptimizer)},
      structs.optimizer...);
  visit(Number{.name = "lr",
               .help_place = 3,
               .help = "Learning rate",
               .range = {0, false, kInfinity, "a finite number above 0"},
               .defaults = every(0.005)},
        structs.lr...);
  visit(Number{.name = "weight_decay",
               .help_place = 4,
               .help = "Weight decay",
               .range = {0, true, kInfinity, "a finite number from 0"},
               .defaults = {.adam = 0.0, .adamw = 0.01, .sgd = 0.0}},
        structs.weight_decay...);
  visit(Number{.name = "momentum",
               .help_place = 5,
               .help = "Momentum of sgd",
               .range = {0, true, 1, "from 0 to below 1"},
               .defaults = {.adam = {}, .adamw = {}, .sgd = 0.9},
               .goes_with = GoesWith::kSgd},
        structs.momentum...);
  visit(Whole{.name = "epochs",
              .help_place = 0,
              .help = "Passes over the training rows",
              .range = kCount,
              .defaults = every_whole(50),
              .may_grow = true},
        structs.epochs...);
  visit(
      Whole{
          .name = "batch_size", .help_place = 1, .help = "Rows per step", .range = kCount, .defaults = every_whole(16)},
      structs.batch_size...);
  visit(Whole{.name = "hidden",
              .help_place = 6,
              .help = "IrisNet's hidden units",
              .range = {1, std::int64_t{1} << 20},
              .defaults = every_whole(16)},
        structs.hidden...);
  visit(Whole{.name = "seed",
              .help_place = 7,
              .help = "Decides the first weights, the split and the order of the rows",
              .range = {0, std::numeric_limits<std::int64_t>::max()},
              .defaults = every_whole(0)},
        structs.seed...);
  visit(Number{.name = "test_fraction",
               .help_place = 9,
               .help = "Share of each class that is held out",
               .range = kFraction,
               .defaults = every(0.2)},
        structs.test_fraction...);
  visit(Whole{.name = "patience",
              .help_place = 10,
              .help = "Stop once the validation loss has not been lower for N epochs, and keep the best weights",
              .range = kCount,
              .defaults = {}},
        structs.patience...);
  visit(Number{.name = "validation_fraction",
               .help_place = 11,
               .help = "With --patience: share of each class's training rows that is set aside for it",
               .range = kFraction,
               .defaults = every(0.2),
               .goes_with = GoesWith::kPatience},
        structs.validation_fraction...);
  visit(Text{.name = "label_column",
             .help_place = 8,
             .help = "The column that holds the classes",
             .range = {},
             .defaults = every(std::string_view("species"))},
        structs.label_column...);
}

// "--weight-decay"
inline std::string option_name(std::string_view setting) {
  std::string name = "--";
  for (const char c : setting) {
    name += c == '_' ? '-' : c;
  }
  return name;
}

}  // namespace iris
