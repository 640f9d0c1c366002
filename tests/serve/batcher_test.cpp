#include "serve/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "serve/fake_model.h"
#include "serve/refusal.h"
#include "text.h"

namespace iris::serve {
namespace {

using std::chrono::microseconds;

// Notes its passes. A third feature below 0 is a refusal, a fourth below 0 an error.
class NotingModel : public FakeModel {
 public:
  using FakeModel::FakeModel;

  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override {
    passes.push_back(row_count);
    std::this_thread::sleep_until(answers_at);
    for (std::size_t row = 0; row < row_count && rows.size() == 4 * row_count; ++row) {
      if (rows[4 * row + 2] < 0) {
        throw RequestError(400, "a row without an answer");
      }
    }
    FakeModel::predict(rows.size() == 4 * row_count ? rows : std::vector<float>(4 * row_count), row_count, predictions);
  }

  bool is_alive() const override { return lives; }

  mutable std::vector<std::size_t> passes;
  Clock::time_point answers_at;
  bool lives = true;
};

class BatcherTest : public ::testing::Test {
 protected:
  // Adds a request. Its place in `answers_` becomes the classes of its rows, or the refusal.
  void add(Batcher& batcher, std::vector<float> rows, std::size_t count,
           std::optional<Clock::time_point> deadline = std::nullopt) {
    const std::size_t place = answers_.size();
    answers_.emplace_back("none");
    batcher.add(
        {.model = model_,
         .rows = std::move(rows),
         .row_count = count,
         .arrived = Clock::now(),
         .deadline = deadline,
         .done = [this, place, count](const Predictions* predictions, std::size_t first, const RequestError* error) {
           std::string& answer = answers_[place];
           answer = error != nullptr ? std::to_string(error->status) + " " + error->what() : "";
           for (std::size_t i = 0; error == nullptr && i < count; ++i) {
             answer += std::to_string(predictions->best[first + i]);
           }
         }});
  }

  void add(std::vector<float> rows, std::size_t count, std::optional<Clock::time_point> deadline = std::nullopt) {
    add(batcher_, std::move(rows), count, deadline);
  }

  void run() {
    context_.restart();
    context_.poll();
  }

  std::string answers() const { return text::joined(answers_, "|"); }

  std::shared_ptr<NotingModel> model_ = std::make_shared<NotingModel>();
  boost::asio::io_context context_{1};
  Metrics metrics_;
  std::string dead_;
  InferenceState state_{.max_batch_rows = 4,
                        .max_queue_rows = 10,
                        .metrics = metrics_,
                        .on_dead_model = [this](const std::string& message) { dead_ = message; }};
  std::vector<std::string> answers_;
  Batcher batcher_{context_, microseconds(0), state_};
};

const std::vector<float> kX = {2, 1, 0, 0};
const std::vector<float> kY = {1, 2, 0, 0};
const std::vector<float> kRefused = {2, 1, -1, 0};
const std::vector<float> kBreaks = {2, 1, 0, -1};
const std::vector<float> kXY = {2, 1, 0, 0, 1, 2, 0, 0};

TEST_F(BatcherTest, GivesEachJobItsOwnRowsOfOnePass) {
  add(kX, 1);
  add(kXY, 2);
  add(kY, 1);
  run();
  EXPECT_EQ(answers(), "0|01|1");
  EXPECT_EQ(model_->passes, std::vector<std::size_t>{4});
}

TEST_F(BatcherTest, StartsAnotherPassWhereAJobDoesNotFit) {
  for (int i = 0; i < 3; ++i) {
    add(kXY, 2);
  }
  run();
  EXPECT_EQ(answers(), "01|01|01");
  EXPECT_EQ(model_->passes, (std::vector<std::size_t>{4, 2}));
}

TEST_F(BatcherTest, TakesSeveralPassesForALargeJob) {
  std::vector<float> rows;
  for (int i = 0; i < 5; ++i) {
    rows.insert(rows.end(), kXY.begin(), kXY.end());
  }
  add(rows, 10);
  run();
  EXPECT_EQ(answers(), "0101010101");
  EXPECT_EQ(model_->passes, (std::vector<std::size_t>{4, 4, 2}));
}

TEST_F(BatcherTest, DoesNotMixTwoModelsInAPass) {
  const auto first = model_;
  add(kX, 1);
  model_ = std::make_shared<NotingModel>();
  add(kY, 1);
  run();
  EXPECT_EQ(answers(), "0|1");
  EXPECT_EQ(first->passes, std::vector<std::size_t>{1});
  EXPECT_EQ(model_->passes, std::vector<std::size_t>{1});
}

TEST_F(BatcherTest, DoesNotMixTwoWidthsInAPass) {
  add(kX, 1);
  add({1, 2}, 1);
  run();
  EXPECT_EQ(model_->passes, (std::vector<std::size_t>{1, 1}));
}

TEST_F(BatcherTest, RefusesAJobWhereTheQueueIsFull) {
  for (int i = 0; i < 5; ++i) {
    add(kXY, 2);
  }
  EXPECT_EQ(refusal([&] { add(kX, 1); }), "503 the queue is full; try again");
  run();
  EXPECT_EQ(answers(), "01|01|01|01|01|none");
}

TEST_F(BatcherTest, RefusesAJobThatTheQueueNeverHolds) {
  EXPECT_EQ(refusal([&] { add(std::vector<float>(44), 11); }),
            "413 the request's 11 rows are more than the queue holds, 10; send fewer in one request");
}

TEST_F(BatcherTest, CountsARowAsPendingUntilItIsAnswered) {
  add(kXY, 2);
  EXPECT_EQ(state_.pending_rows, 2);
  run();
  EXPECT_EQ(state_.pending_rows, 0);
}

TEST_F(BatcherTest, CountsNoRowOfARefusedJobAsPending) {
  add(std::vector<float>(40), 10);
  EXPECT_EQ(refusal([&] { add(kX, 1); }), "503 the queue is full; try again");
  EXPECT_EQ(state_.pending_rows, 10);
}

TEST_F(BatcherTest, AJobThatBreaksItsPassBreaksOnlyItself) {
  add(kX, 1);
  add(kBreaks, 1);
  add(kY, 1);
  run();
  EXPECT_EQ(answers(), "0|500 a row that breaks its pass|1");
}

TEST_F(BatcherTest, PassesTheModelsRefusalOn) {
  add(kRefused, 1);
  run();
  EXPECT_EQ(answers(), "400 a row without an answer");
}

TEST_F(BatcherTest, TellsOfAModelThatIsDead) {
  model_->lives = false;
  add(kBreaks, 1);
  run();
  EXPECT_EQ(dead_, "a row that breaks its pass");
}

TEST_F(BatcherTest, DoesNotTakeARefusalForADeadModel) {
  model_->lives = false;
  add(kRefused, 1);
  run();
  EXPECT_EQ(dead_, "");
}

TEST_F(BatcherTest, DoesNotComputeAJobThatIsLate) {
  add(kX, 1, Clock::now());
  run();
  EXPECT_EQ(answers(), "504 parameters.timeout: was over before the model was asked");
  EXPECT_EQ(model_->passes, std::vector<std::size_t>());
}

TEST_F(BatcherTest, DoesNotAnswerAJobThatIsLateAfterItsPass) {
  model_->answers_at = Clock::now() + std::chrono::seconds(1);
  add(kX, 1, model_->answers_at);
  add(kY, 1);
  run();
  EXPECT_EQ(answers(), "504 parameters.timeout: was over before the model had answered|1");
}

TEST_F(BatcherTest, WaitsForCompany) {
  Batcher batcher(context_, std::chrono::hours(1), state_);
  add(batcher, kX, 1);
  run();
  EXPECT_EQ(answers(), "none");
}

TEST_F(BatcherTest, WaitsNoLongerThanForAFullPass) {
  Batcher batcher(context_, std::chrono::hours(1), state_);
  add(batcher, kXY, 2);
  run();
  add(batcher, kXY, 2);
  run();
  EXPECT_EQ(answers(), "01|01");
  EXPECT_EQ(model_->passes, std::vector<std::size_t>{4});
}

TEST_F(BatcherTest, RunsWhatItHasAfterTheWait) {
  Batcher batcher(context_, microseconds(1), state_);
  add(batcher, kX, 1);
  context_.run();
  EXPECT_EQ(answers(), "0");
}

TEST_F(BatcherTest, DoesNotComputeAJobThatNobodyWaitsFor) {
  std::atomic<bool> is_given_up = true;
  std::string answer;
  batcher_.add({.model = model_,
                .rows = kX,
                .row_count = 1,
                .arrived = Clock::now(),
                .deadline = {},
                .is_given_up = &is_given_up,
                .done = [&](const Predictions*, std::size_t, const RequestError* error) { answer = error->what(); }});
  add(kY, 1);
  run();
  EXPECT_EQ(answer, "the caller left before the answer");
  EXPECT_EQ(answers(), "1");
  EXPECT_EQ(model_->passes, std::vector<std::size_t>{1});
  EXPECT_EQ(state_.pending_rows, 0);
}

TEST_F(BatcherTest, AnAnswerForWhichThereIsNoMemoryIsARefusal) {
  std::string answer;
  batcher_.add({.model = model_,
                .rows = kX,
                .row_count = 1,
                .arrived = Clock::now(),
                .deadline = {},
                .done = [&](const Predictions* predictions, std::size_t, const RequestError* error) {
                  if (predictions != nullptr) {
                    throw std::bad_alloc();
                  }
                  answer = std::to_string(error->status) + " " + error->what();
                }});
  add(kY, 1);
  run();
  EXPECT_EQ(answer, "503 there is not enough memory for this request; try again");
  EXPECT_EQ(answers(), "1");
}

TEST_F(BatcherTest, SurvivesAJobThatCannotEvenBeRefused) {
  batcher_.add({.model = model_,
                .rows = kX,
                .row_count = 1,
                .arrived = Clock::now(),
                .deadline = {},
                .done = [](const Predictions*, std::size_t, const RequestError*) { throw std::bad_alloc(); }});
  add(kY, 1);
  run();
  EXPECT_EQ(answers(), "1");
  EXPECT_EQ(state_.pending_rows, 0);
}

TEST_F(BatcherTest, WaitsForNobodyOnceItHurries) {
  Batcher batcher(context_, std::chrono::hours(1), state_);
  add(batcher, kX, 1);
  run();
  EXPECT_EQ(answers(), "none");
  batcher.hurry();
  run();
  EXPECT_EQ(answers(), "0");
  add(batcher, kY, 1);
  run();
  EXPECT_EQ(answers(), "0|1");
}

TEST_F(BatcherTest, CountsOutcomes) {
  add(kX, 1);
  add(kX, 1, Clock::now());
  add(kBreaks, 1);
  run();
  const std::string text = metrics_.text("m", true, 0);
  for (const char* outcome : {"success", "refused", "failure"}) {
    EXPECT_NE(text.find("iris_inference_requests_total{model=\"m\",outcome=\"" + std::string(outcome) + "\"} 1\n"),
              std::string::npos)
        << outcome;
  }
}

}  // namespace
}  // namespace iris::serve
