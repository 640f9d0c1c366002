#include "cli/run/in_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/errors.h"

namespace iris {
namespace {

struct Part {
  int number = 0;
  int result = 0;
};

// Numbers from 0, squared; early parts take the longest.
class InOrderTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  PartWork<Part> work() {
    return {
        .take =
            [this](Part& part, const std::stop_token&) {
              part.number = taken_++;
              if (part.number == take_fails_at_) {
                throw std::runtime_error("take " + std::to_string(part.number));
              }
              return part.number < count_;
            },
        .work =
            [this](Part& part) {
              std::this_thread::sleep_for(std::chrono::microseconds(part.number % 7 == 0 ? 500 : 0));
              if (part.number == work_fails_at_) {
                throw std::runtime_error("work " + std::to_string(part.number));
              }
              part.result = part.number * part.number;
            },
        .give =
            [this](Part& part) {
              EXPECT_FALSE(is_giving_.exchange(true));
              if (part.number == give_fails_at_) {
                throw std::runtime_error("give " + std::to_string(part.number));
              }
              EXPECT_EQ(part.result, part.number * part.number);
              given_.push_back(part.number);
              is_giving_ = false;
            },
        .tick = [] {},
    };
  }

  std::string error() {
    return test::error_of<std::runtime_error>([&] { run_in_order(GetParam(), work()); });
  }

  static std::vector<int> numbers_below(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  int count_ = 300;
  int take_fails_at_ = -1;
  int work_fails_at_ = -1;
  int give_fails_at_ = -1;
  int taken_ = 0;
  std::atomic<bool> is_giving_ = false;
  std::vector<int> given_;
};

TEST_P(InOrderTest, GivesAllInTheOrderInWhichItWasTaken) {
  EXPECT_EQ(error(), "");
  EXPECT_EQ(given_, numbers_below(count_));
}

TEST_P(InOrderTest, GivesNothingOfNothing) {
  count_ = 0;
  EXPECT_EQ(error(), "");
  EXPECT_TRUE(given_.empty());
}

TEST_P(InOrderTest, GivesWhatIsBeforeAFailureInTaking) {
  take_fails_at_ = 111;
  EXPECT_EQ(error(), "take 111");
  EXPECT_EQ(given_, numbers_below(111));
}

TEST_P(InOrderTest, GivesWhatIsBeforeAFailureInTheWork) {
  work_fails_at_ = 112;  // while earlier ones may still be worked on
  EXPECT_EQ(error(), "work 112");
  EXPECT_EQ(given_, numbers_below(112));
}

TEST_P(InOrderTest, GivesNothingBehindAFailureInGiving) {
  give_fails_at_ = 77;
  EXPECT_EQ(error(), "give 77");
  EXPECT_EQ(given_, numbers_below(77));
}

TEST_P(InOrderTest, ThrowsTheFirstOfSeveralFailures) {
  work_fails_at_ = 112;  // takes longer than the next, which fails too
  take_fails_at_ = 113;
  EXPECT_EQ(error(), "work 112");
}

TEST_P(InOrderTest, TakesAtMostTwiceAsManyPartsAsWorkersAtOnce) {
  PartWork<Part> steps = work();
  std::atomic<int> in_hand = 0;
  int most = 0;
  steps.take = [&, take = steps.take](Part& part, const std::stop_token& stop) {
    const bool is_taken = take(part, stop);
    most = std::max(most, in_hand += is_taken ? 1 : 0);
    return is_taken;
  };
  steps.give = [&](Part&) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    --in_hand;
  };
  run_in_order(GetParam(), steps);
  EXPECT_LE(most, 2 * static_cast<int>(GetParam()));
}

TEST_P(InOrderTest, TellsOneThatWaitsForMoreToStop) {
  PartWork<Part> steps = work();
  give_fails_at_ = 1;
  bool was_told = false;
  steps.take = [&](Part& part, const std::stop_token& stop) {
    part.number = taken_++;
    while (part.number == 2 && !stop.stop_requested()) {  // as on a pipe into which nothing is written
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    was_told = was_told || stop.stop_requested();
    return !stop.stop_requested();
  };
  if (GetParam() > 1) {  // a single worker gives before it takes more
    EXPECT_EQ(test::error_of<std::runtime_error>([&] { run_in_order(GetParam(), steps); }), "give 1");
    EXPECT_TRUE(was_told || taken_ == 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, InOrderTest, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace iris
