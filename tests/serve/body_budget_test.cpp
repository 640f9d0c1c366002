#include "serve/body_budget.h"

#include <gtest/gtest.h>

namespace iris::serve {
namespace {

TEST(BodyBudget, IsSharedUpToItsLimit) {
  BodyBudget budget(10);
  BodyBudget::Share first(budget);
  BodyBudget::Share second(budget);
  EXPECT_TRUE(first.resize(6));
  EXPECT_TRUE(second.resize(4));
  EXPECT_FALSE(first.resize(7));
}

TEST(BodyBudget, KeepsAShareThatCouldNotGrow) {
  BodyBudget budget(10);
  BodyBudget::Share first(budget);
  BodyBudget::Share second(budget);
  EXPECT_TRUE(first.resize(6));
  EXPECT_FALSE(first.resize(11));
  EXPECT_TRUE(second.resize(4));
  EXPECT_FALSE(second.resize(5));
}

TEST(BodyBudget, TakesBackWhatAShareGivesUp) {
  BodyBudget budget(10);
  BodyBudget::Share first(budget);
  BodyBudget::Share second(budget);
  EXPECT_TRUE(first.resize(10));
  EXPECT_TRUE(first.resize(3));
  EXPECT_TRUE(second.resize(7));
}

TEST(BodyBudget, TakesBackAShareThatGoes) {
  BodyBudget budget(10);
  EXPECT_TRUE(BodyBudget::Share(budget).resize(10));
  EXPECT_TRUE(BodyBudget::Share(budget).resize(10));
}

}  // namespace
}  // namespace iris::serve
