#include "serve/give_way.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace iris::serve {
namespace {

TEST(GiveWay, IsDueAfterThreeRunsWithoutAWait) {
  GiveWay give_way;
  EXPECT_FALSE(give_way.is_due(0));
  EXPECT_FALSE(give_way.is_due(0));
  EXPECT_TRUE(give_way.is_due(0));
}

TEST(GiveWay, CountsAnewAfterItWasDue) {
  GiveWay give_way;
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(give_way.is_due(0));
    EXPECT_FALSE(give_way.is_due(0));
    EXPECT_TRUE(give_way.is_due(0));
  }
}

TEST(GiveWay, CountsAnewAfterAWait) {
  GiveWay give_way;
  give_way.is_due(0);
  give_way.is_due(0);
  EXPECT_FALSE(give_way.is_due(1));
  EXPECT_FALSE(give_way.is_due(1));
  EXPECT_FALSE(give_way.is_due(1));
  EXPECT_TRUE(give_way.is_due(1));
}

TEST(GiveWay, IsNeverDueForAThreadThatWaits) {
  GiveWay give_way;
  for (long waits = 1; waits < 100; ++waits) {
    EXPECT_FALSE(give_way.is_due(waits));
  }
}

TEST(GiveWay, SeesThatAThreadHasWaited) {
  const long before = wait_count();
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_GT(wait_count(), before);
}

}  // namespace
}  // namespace iris::serve
