#include "cli/in_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "support/errors.h"

namespace iris {
namespace {

// Numbers from 0, squared; early parts take the longest.
class InOrderTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  struct Part : InOrder::Part {
    explicit Part(InOrderTest& its_test) : test(its_test) {}

    bool take(const std::stop_token& stop) override { return test.take_(*this, stop); }

    void work() override {
      std::this_thread::sleep_for(std::chrono::microseconds(number % 7 == 0 ? 500 : 0));
      if (number == test.work_fails_at_) {
        throw std::runtime_error("work " + std::to_string(number));
      }
      result = number * number;
    }

    void give() override { test.give_(*this); }

    InOrderTest& test;
    int number = 0;
    int result = 0;
  };

  bool take(Part& part) {
    part.number = taken_++;
    if (part.number == take_fails_at_) {
      throw std::runtime_error("take " + std::to_string(part.number));
    }
    return part.number < count_;
  }

  void give(const Part& part) {
    EXPECT_FALSE(is_giving_.exchange(true));
    if (part.number == give_fails_at_) {
      throw std::runtime_error("give " + std::to_string(part.number));
    }
    EXPECT_EQ(part.result, part.number * part.number);
    given_.push_back(part.number);
    is_giving_ = false;
  }

  std::string error() {
    return test::error_of<std::runtime_error>([&] {
      InOrder in_order(GetParam(), [this] {
        ++part_count_;
        return std::make_unique<Part>(*this);
      });
      in_order.run([] {});
    });
  }

  static std::vector<int> numbers_below(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  std::function<bool(Part&, const std::stop_token&)> take_ = [this](Part& part, const std::stop_token&) {
    return take(part);
  };
  std::function<void(const Part&)> give_ = [this](const Part& part) { give(part); };
  int count_ = 300;
  int take_fails_at_ = -1;
  int work_fails_at_ = -1;
  int give_fails_at_ = -1;
  std::size_t part_count_ = 0;
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

TEST_P(InOrderTest, GivesNothingAfterAFailureInGiving) {
  give_fails_at_ = 77;
  EXPECT_EQ(error(), "give 77");
  EXPECT_EQ(given_, numbers_below(77));
}

TEST_P(InOrderTest, ThrowsTheFirstOfSeveralFailures) {
  work_fails_at_ = 112;  // takes longer than the next, which fails too
  take_fails_at_ = 113;
  EXPECT_EQ(error(), "work 112");
}

TEST_P(InOrderTest, MakesTwiceAsManyPartsAsWorkers) {
  EXPECT_EQ(error(), "");
  EXPECT_EQ(part_count_, 2 * GetParam());
}

TEST_P(InOrderTest, TakesAtMostTwiceAsManyPartsAsWorkersAtOnce) {
  std::atomic<int> in_hand = 0;
  int most = 0;
  take_ = [&](Part& part, const std::stop_token&) {
    const bool is_taken = take(part);
    most = std::max(most, in_hand += is_taken ? 1 : 0);
    return is_taken;
  };
  give_ = [&](const Part&) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    --in_hand;
  };
  EXPECT_EQ(error(), "");
  EXPECT_LE(most, 2 * static_cast<int>(GetParam()));
}

TEST_P(InOrderTest, TellsOneThatWaitsForMoreToStop) {
  give_fails_at_ = 1;
  bool was_told = false;
  take_ = [&](Part& part, const std::stop_token& stop) {
    part.number = taken_++;
    while (part.number == 2 && !stop.stop_requested()) {  // as on a pipe into which nothing is written
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    was_told = was_told || stop.stop_requested();
    return !stop.stop_requested();
  };
  if (GetParam() > 1) {  // a single worker gives before it takes more
    EXPECT_EQ(error(), "give 1");
    EXPECT_TRUE(was_told || taken_ == 2);
  }
}

TEST(InOrder, CallsTickWhileItWorks) {
  struct Slow : InOrder::Part {
    explicit Slow(std::atomic<bool>& its_tick) : was_ticked(its_tick) {}
    bool take(const std::stop_token&) override { return !was_ticked; }
    void work() override { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
    void give() override {}
    std::atomic<bool>& was_ticked;
  };
  std::atomic<bool> was_ticked = false;
  InOrder(1, [&] { return std::make_unique<Slow>(was_ticked); }).run([&] { was_ticked = true; });
  EXPECT_TRUE(was_ticked);
}

INSTANTIATE_TEST_SUITE_P(Workers, InOrderTest, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace iris
