#include "serve/model_slot.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "serve/fake_model.h"
#include "serve/pipe.h"
#include "serve/refusal.h"

namespace iris::serve {
namespace {

class ModelSlotTest : public ::testing::Test {
 protected:
  // What the log says. Once, at the end.
  std::string log() {
    log_.reset();
    return pipe_.read();
  }

  bool counts(const std::string& sample) {
    return metrics_.text("m", true, 0).find("\n" + sample + "\n") != std::string::npos;
  }

  std::function<std::shared_ptr<const Model>()> load_ = [] { return std::make_shared<FakeModel>(); };
  Metrics metrics_;
  Pipe pipe_;
  std::unique_ptr<Log> log_ = std::make_unique<Log>(LogFormat::kText, pipe_.ends[1]);
  ModelSlot slot_{[this] { return load_(); }, metrics_, *log_};
};

std::shared_ptr<const Model> fail() { throw std::runtime_error("model.pt: is cut short"); }

TEST_F(ModelSlotTest, ThrowsWhatTheFirstLoadThrows) {
  EXPECT_THROW(ModelSlot(fail, metrics_, *log_), std::runtime_error);
}

TEST_F(ModelSlotTest, HasANewModelAfterAReload) {
  const auto before = slot_.current();
  EXPECT_EQ(slot_.reload(), std::nullopt);
  EXPECT_NE(slot_.current(), before);
  EXPECT_TRUE(counts("iris_model_reloads_total{outcome=\"success\"} 1"));
  EXPECT_EQ(log(), "iris: the model was loaded again\n");
}

TEST_F(ModelSlotTest, SaysThatTheNewModelHasOtherFeatures) {
  load_ = [] { return std::make_shared<FakeModel>(std::vector<std::string>{"a", "b", "c", "e"}); };
  slot_.reload();
  EXPECT_EQ(log(), "iris: the model was loaded again; its features or labels have changed\n");
}

TEST_F(ModelSlotTest, KeepsTheModelWhereAReloadFails) {
  const auto before = slot_.current();
  load_ = fail;
  EXPECT_EQ(slot_.reload(), "model.pt: is cut short; the model loaded before still serves");
  EXPECT_EQ(slot_.current(), before);
  EXPECT_TRUE(counts("iris_model_reloads_total{outcome=\"failure\"} 1"));
  EXPECT_EQ(
      log(),
      "iris: the model could not be loaded again: model.pt: is cut short; the model loaded before still serves\n");
}

TEST_F(ModelSlotTest, HasNoModelOnceItIsUnloaded) {
  slot_.unload();
  EXPECT_FALSE(slot_.is_loaded());
  EXPECT_EQ(refusal([&] { slot_.current(); }),
            "503 the model was unloaded; load it with POST /v2/repository/models/NAME/load");
  EXPECT_EQ(log(), "iris: the model was unloaded\n");
}

TEST_F(ModelSlotTest, SaysThatNoModelIsLoadedWhereAReloadFailsAfterUnload) {
  slot_.unload();
  load_ = fail;
  EXPECT_EQ(slot_.reload(), "model.pt: is cut short; no model is loaded");
}

TEST_F(ModelSlotTest, LeavesAnUnloadedModelToWhoHoldsIt) {
  const auto held = slot_.current();
  slot_.unload();
  EXPECT_TRUE(held->is_alive());
}

TEST_F(ModelSlotTest, SaysOnceThatTheModelIsDead) {
  slot_.set_dead("the device is lost");
  slot_.set_dead("the device is lost");
  EXPECT_TRUE(slot_.is_dead());
  EXPECT_EQ(log(), "iris: the model no longer answers; live and ready are 503 from now on: the device is lost\n");
}

TEST_F(ModelSlotTest, IsAliveAgainAfterAReload) {
  slot_.set_dead("the device is lost");
  slot_.reload();
  EXPECT_FALSE(slot_.is_dead());
}

// Not warmed up; answers nothing, or all.
class ColdModel : public FakeModel {
 public:
  explicit ColdModel(bool answers) : answers_(answers) {}
  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override {
    if (!answers_) {
      throw std::runtime_error("no answer");
    }
    FakeModel::predict(rows, row_count, predictions);
  }
  bool is_warm() const override { return false; }

 private:
  bool answers_;
};

const std::vector<float> kRow = {1, 2, 3, 4};

std::string asked(const Model& model) {
  return refusal([&] {
    Predictions predictions;
    model.predict(kRow, 1, predictions);
  });
}

constexpr const char* kRetry =
    "503 the model that was loaded again cannot answer, and the one before serves again; retry";

TEST_F(ModelSlotTest, TakesTheModelBackWhoseSuccessorCannotAnswer) {
  const auto before = slot_.current();
  load_ = [] { return std::make_shared<ColdModel>(false); };
  slot_.reload();
  slot_.reload();  // on trial too, against the same model
  EXPECT_EQ(asked(*slot_.current()), kRetry);
  EXPECT_EQ(slot_.current(), before);
  EXPECT_TRUE(counts("iris_model_reloads_total{outcome=\"failure\"} 1"));
  EXPECT_TRUE(log().ends_with(
      "iris: the model that was loaded again cannot answer: no answer; the model loaded before serves again\n"));
}

TEST_F(ModelSlotTest, LetsTheModelBeforeGoOnceItsSuccessorAnswers) {
  load_ = [] { return std::make_shared<ColdModel>(true); };
  const std::weak_ptr<const Model> before = slot_.current();
  slot_.reload();
  EXPECT_FALSE(before.expired());
  EXPECT_EQ(asked(*slot_.current()), "nothing was refused");
  EXPECT_TRUE(before.expired());
}

TEST_F(ModelSlotTest, DoesNotReplaceANewerModelByTheOneBeforeATrial) {
  load_ = [] { return std::make_shared<ColdModel>(false); };
  slot_.reload();
  const auto trial = slot_.current();
  load_ = [] { return std::make_shared<FakeModel>(); };
  slot_.reload();
  const auto newest = slot_.current();
  EXPECT_EQ(asked(*trial), kRetry);
  EXPECT_EQ(slot_.current(), newest);
}

}  // namespace
}  // namespace iris::serve
