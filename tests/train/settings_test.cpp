// That Python's table is the same: tests/python/train/test_settings.py.
#include "train/settings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace iris {
namespace {

TEST(Settings, AreInACheckpointsOrder) {
  std::vector<std::string> names;
  visit_settings([&](const auto& setting) { names.emplace_back(setting.name); });
  EXPECT_EQ(names,
            (std::vector<std::string>{"optimizer", "lr", "weight_decay", "momentum", "epochs", "batch_size", "hidden",
                                      "seed", "test_fraction", "patience", "validation_fraction", "label_column"}));
}

TEST(Settings, EachHasAPlaceOfItsOwnInTheHelp) {
  std::set<int> places;
  int count = 0;
  visit_settings([&](const auto& setting) {
    places.insert(setting.help_place);
    ++count;
  });
  EXPECT_EQ(static_cast<int>(places.size()), count);
  EXPECT_EQ(*places.begin(), 0);
  EXPECT_EQ(*places.rbegin(), count - 1);
}

TEST(Settings, ADefaultIsInItsRange) {
  visit_settings([](const auto& setting) {
    for (const Optimizer optimizer : kOptimizers) {
      if (const auto& standard = setting.defaults[optimizer]) {
        EXPECT_TRUE(setting.range.has(*standard)) << setting.name;
      }
    }
  });
}

TEST(Settings, MomentumHasADefaultForSgdOnly) {
  visit_settings([](const auto& setting) {
    if (setting.goes_with == GoesWith::kSgd) {
      EXPECT_FALSE(setting.defaults[Optimizer::kAdam]);
      EXPECT_FALSE(setting.defaults[Optimizer::kAdamW]);
      EXPECT_TRUE(setting.defaults[Optimizer::kSgd]);
    }
  });
}

TEST(Settings, ARangeOfNumbersEndsBelowItsEnd) {
  constexpr NumberRange kAbove = {0, false, 1, ""};
  constexpr NumberRange kFrom = {0, true, 1, ""};
  EXPECT_FALSE(kAbove.has(0));
  EXPECT_TRUE(kFrom.has(0));
  EXPECT_TRUE(kAbove.has(std::nextafter(1.0, 0.0)));
  EXPECT_FALSE(kAbove.has(1));
  EXPECT_FALSE(kFrom.has(std::nan("")));
  EXPECT_FALSE((NumberRange{0, true, kInfinity, ""}.has(kInfinity)));
}

TEST(Settings, AnOptimizerIsFoundByItsName) {
  for (const Optimizer optimizer : kOptimizers) {
    EXPECT_EQ(optimizer_named(name_of(optimizer)), optimizer);
  }
  EXPECT_FALSE(optimizer_named("Adam"));
  EXPECT_FALSE(optimizer_named(""));
}

TEST(Settings, AnOptionHasHyphens) { EXPECT_EQ(option_name("weight_decay"), "--weight-decay"); }

}  // namespace
}  // namespace iris
