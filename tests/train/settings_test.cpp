// That Python's table is the same: tests/python/train/test_settings.py.
#include "train/settings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

TEST(Settings, AreInACheckpointsOrder) {
  std::vector<std::string> names;
  visit_settings([&](const auto& setting) { names.emplace_back(setting.name); });
  EXPECT_EQ(names,
            (std::vector<std::string>{"optimizer", "lr", "weight_decay", "momentum", "epochs", "batch_size", "hidden",
                                      "seed", "test_fraction", "patience", "validation_fraction", "label_column"}));
}

TEST(Settings, ADefaultIsInItsRange) {
  visit_settings([](const auto& setting) {
    EXPECT_TRUE(setting.range.has(setting.standard)) << setting.name;
    EXPECT_TRUE(setting.range.has(setting.standard_of_adamw)) << setting.name;
  });
}

TEST(Settings, ARangeOfNumbersEndsBelowItsEnd) {
  EXPECT_FALSE(kFraction.has(0));
  EXPECT_TRUE(kFraction.has(std::nextafter(0.0, 1.0)));
  EXPECT_TRUE(kFraction.has(std::nextafter(1.0, 0.0)));
  EXPECT_FALSE(kFraction.has(1));
  EXPECT_FALSE(kFraction.has(std::nan("")));
  constexpr Range<double> kFrom = {0, kBelowOne};
  EXPECT_TRUE(kFrom.has(0));
  EXPECT_FALSE(kFrom.has(1));
  EXPECT_FALSE(kFrom.has(std::nan("")));
  EXPECT_FALSE((Range<double>{0, kLargest}.has(HUGE_VAL)));
}

TEST(Settings, AnOptimizerIsFoundByItsName) {
  for (const Optimizer optimizer : kOptimizers) {
    EXPECT_EQ(optimizer_named(name_of(optimizer)), optimizer);
  }
  EXPECT_FALSE(optimizer_named("Adam"));
  EXPECT_FALSE(optimizer_named(""));
}

TEST(Settings, AnOptionHasHyphens) { EXPECT_EQ(option_name("weight_decay"), "--weight-decay"); }

TEST(TrainConfig, DefaultsDependOnTheOptimizer) {
  EXPECT_EQ(TypedConfig().with_defaults().lr, 0.005);
  EXPECT_EQ(TypedConfig().with_defaults().weight_decay, 0.0);
  TypedConfig typed;
  typed.optimizer = Optimizer::kAdamW;
  EXPECT_EQ(typed.with_defaults().weight_decay, 0.01);
  typed.optimizer = Optimizer::kSgd;
  EXPECT_EQ(typed.with_defaults().lr, 0.005);
  EXPECT_EQ(typed.with_defaults().momentum, 0.9);
}

TEST(TrainConfig, MomentumHasADefaultForSgdOnly) {
  TypedConfig typed;
  for (const Optimizer optimizer : kOptimizers) {
    typed.optimizer = optimizer;
    EXPECT_EQ(typed.with_defaults().momentum, optimizer == Optimizer::kSgd ? 0.9 : 0.0);
  }
}

TEST(TrainConfig, RefusesOptionsThatMeanNothingAlone) {
  TypedConfig typed;
  typed.momentum = 0.5;
  EXPECT_EQ(test::error_of<UsageError>([&] { (void)typed.with_defaults(); }), "--momentum is for --optimizer sgd");
  typed = {};
  typed.validation_fraction = 0.5;
  EXPECT_EQ(test::error_of<UsageError>([&] { (void)typed.with_defaults(); }),
            "--validation-fraction is for --patience");
}

TEST(TrainConfig, NamesTheSettingThatCannotBe) {
  const auto fault_with = [](auto&& change) {
    TypedConfig typed;
    typed.patience = 5;
    TrainConfig config = typed.with_defaults();
    change(config);
    const char* const fault = config.fault();
    return fault == nullptr ? "" : std::string(fault);
  };
  EXPECT_EQ(fault_with([](TrainConfig&) {}), "");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.lr = 0; }), "lr");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.momentum = 1; }), "momentum");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.epochs = 0; }), "epochs");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.test_fraction = 1; }), "test_fraction");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.patience = 0; }), "patience");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.patience.reset(); }), "validation_fraction");
  EXPECT_EQ(fault_with([](TrainConfig& c) { c.validation_fraction.reset(); }), "validation_fraction");
  EXPECT_EQ(fault_with([](TrainConfig& c) {
              c.patience.reset();
              c.validation_fraction.reset();
            }),
            "");
}

TEST(TrainConfig, AResumedRunTakesWhatWasNotTypedFromTheCheckpoint) {
  TrainConfig config = TypedConfig().with_defaults();
  config.lr = 0.25;
  config.seed = 7;
  TypedConfig typed;
  typed.seed = 7;
  const TrainConfig resumed = typed.resumed(config, 3, 0, "c.pt");
  EXPECT_EQ(resumed.lr, 0.25);
  EXPECT_EQ(resumed.epochs, 50);
}

TEST(TrainConfig, AResumedRunMayGoOnForMoreEpochsButNotFewerThanAreDone) {
  TypedConfig typed;
  typed.epochs = 100;
  EXPECT_EQ(typed.resumed(TypedConfig().with_defaults(), 10, 0, "c.pt").epochs, 100);
  typed.epochs = 9;
  EXPECT_EQ(test::error_of<InputError>([&] { (void)typed.resumed(TypedConfig().with_defaults(), 10, 0, "c.pt"); }),
            "--epochs 9: c.pt has 10 epochs done");
  EXPECT_EQ(test::error_of<InputError>([&] { (void)typed.resumed(TypedConfig().with_defaults(), 9, 1, "c.pt"); }),
            "--epochs 9: c.pt has begun epoch 10");
}

// Each option that decides the numbers, typed otherwise than the checkpoint has it.
TEST(TrainConfig, RefusesWhatContradictsTheCheckpoint) {
  const auto error_with = [](auto&& type) {
    TypedConfig typed;
    type(typed);
    return test::error_of<InputError>([&] { (void)typed.resumed(TypedConfig().with_defaults(), 1, 0, "c.pt"); });
  };
  const auto error = [](const std::string& typed, const std::string& known) {
    return typed + " contradicts c.pt, which has " + known + "; leave it out, or start anew without --resume";
  };
  EXPECT_EQ(error_with([](auto& typed) { typed.optimizer = Optimizer::kSgd; }), error("--optimizer sgd", "adam"));
  EXPECT_EQ(error_with([](auto& typed) { typed.lr = 0.01; }), error("--lr 0.01", "0.005"));
  EXPECT_EQ(error_with([](auto& typed) { typed.weight_decay = 0.5; }), error("--weight-decay 0.5", "0"));
  EXPECT_EQ(error_with([](auto& typed) { typed.momentum = 0.5; }), error("--momentum 0.5", "0"));
  EXPECT_EQ(error_with([](auto& typed) { typed.batch_size = 8; }), error("--batch-size 8", "16"));
  EXPECT_EQ(error_with([](auto& typed) { typed.hidden = 8; }), error("--hidden 8", "16"));
  EXPECT_EQ(error_with([](auto& typed) { typed.seed = 1; }), error("--seed 1", "0"));
  EXPECT_EQ(error_with([](auto& typed) { typed.test_fraction = 0.5; }), error("--test-fraction 0.5", "0.2"));
  EXPECT_EQ(error_with([](auto& typed) { typed.patience = 5; }), error("--patience 5", "none"));
  EXPECT_EQ(error_with([](auto& typed) { typed.validation_fraction = 0.5; }),
            error("--validation-fraction 0.5", "none"));
  EXPECT_EQ(error_with([](auto& typed) { typed.label_column = "kind"; }), error("--label-column kind", "species"));
}

}  // namespace
}  // namespace iris
