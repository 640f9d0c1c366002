#include "serve/protocol/memory_budget.h"

#include <gtest/gtest.h>

#include <utility>

namespace iris::serve {
namespace {

TEST(MemoryBudget, IsSharedUpToItsLimit) {
  MemoryBudget budget(10);
  MemoryBudget::Share first(budget);
  MemoryBudget::Share second(budget);
  EXPECT_TRUE(first.resize(6));
  EXPECT_TRUE(second.resize(4));
  EXPECT_FALSE(first.resize(7));
}

TEST(MemoryBudget, KeepsAShareThatCouldNotGrow) {
  MemoryBudget budget(10);
  MemoryBudget::Share first(budget);
  MemoryBudget::Share second(budget);
  EXPECT_TRUE(first.resize(6));
  EXPECT_FALSE(first.resize(11));
  EXPECT_TRUE(second.resize(4));
  EXPECT_FALSE(second.resize(5));
}

TEST(MemoryBudget, TakesBackWhatAShareGivesUp) {
  MemoryBudget budget(10);
  MemoryBudget::Share first(budget);
  MemoryBudget::Share second(budget);
  EXPECT_TRUE(first.resize(10));
  EXPECT_TRUE(first.resize(3));
  EXPECT_TRUE(second.resize(7));
}

TEST(MemoryBudget, TakesBackAShareThatGoes) {
  MemoryBudget budget(10);
  EXPECT_TRUE(MemoryBudget::Share(budget).resize(10));
  EXPECT_TRUE(MemoryBudget::Share(budget).resize(10));
}

TEST(MemoryBudget, CountsAShareThatMovesOnce) {
  MemoryBudget budget(10);
  MemoryBudget::Share first(budget);
  EXPECT_TRUE(first.resize(10));
  MemoryBudget::Share second;
  second = std::move(first);
  EXPECT_FALSE(MemoryBudget::Share(budget).resize(1));
  second = MemoryBudget::Share(budget);
  EXPECT_TRUE(MemoryBudget::Share(budget).resize(10));
}

}  // namespace
}  // namespace iris::serve
