// That Python's training gives the same bits: tests/python/train/test_relay.py.
#include "train/trainer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error.h"
#include "model/file/model_names.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

class TrainerTest : public ::testing::TestWithParam<Optimizer> {
 protected:
  void SetUp() override { torch::set_num_threads(1); }

  static TrainConfig config(Optimizer optimizer = Optimizer::kAdam) {
    TypedConfig typed;
    typed.optimizer = optimizer;
    TrainConfig config = typed.with_defaults();
    config.seed = 3;
    config.epochs = 4;
    return config;
  }

  static LabelledRows flowers() {
    LabelledSource source(IRIS_SOURCE_DIR "/data/iris.csv", iris_features(), "cm", "species",
                          [](const std::string&) {});
    return read_labelled_rows(source, iris_labels());
  }

  static Trainer trainer(const TrainConfig& config) { return Trainer(config, rows_, "iris.csv", c10::kCPU); }

  static bool are_equal(const StateDict& left, const StateDict& right) {
    bool are = left.size() == right.size();
    for (const auto& item : left) {
      are = are && at::equal(item.value(), right[item.key()]);
    }
    return are;
  }

  static std::string error_of_rows(std::vector<std::int64_t> labels, const TrainConfig& config) {
    LabelledRows rows{std::vector<float>(4 * labels.size(), 1.0F), labels};
    return test::error_of<InputError>([&] { Trainer(config, rows, "rows.csv", c10::kCPU); });
  }

  inline static const LabelledRows rows_ = flowers();
};

TEST_F(TrainerTest, HoldsOutAFifthOfEachClass) {
  const Trainer trained = trainer(config());
  EXPECT_EQ(trained.training_count(), 120);
  EXPECT_EQ(trained.test_count(), 30);
}

TEST_F(TrainerTest, RefusesRowsThatCannotBeSplit) {
  EXPECT_EQ(error_of_rows({1, 1, 1}, config()), "rows.csv: only one class: versicolor; training needs at least two");
  EXPECT_EQ(error_of_rows({0, 2}, config()),
            "rows.csv: only one flower of setosa; a class needs two, one to train and one to test");
  TrainConfig patient = config();
  patient.patience = 3;
  patient.validation_fraction = 0.2;
  EXPECT_EQ(error_of_rows({0, 0, 1, 1}, patient),
            "rows.csv: only one flower of setosa is left to train with; --patience needs one more, to validate with");
}

TEST_F(TrainerTest, TwoClassesAreEnough) {
  LabelledRows rows{std::vector<float>(16, 1.0F), {0, 0, 2, 2}};
  Trainer trained(config(), rows, "rows.csv", c10::kCPU);
  EXPECT_TRUE(trained.run_epoch());
}

TEST_P(TrainerTest, AResumedRunGivesTheSameBits) {
  Trainer whole = trainer(config(GetParam()));
  Trainer first = trainer(config(GetParam()));
  first.run_epoch();
  first.run_epoch();
  test::TempFolder folder;
  write_checkpoint(first.checkpoint(), folder / "c.pt");
  const Checkpoint checkpoint = read_checkpoint(folder / "c.pt");
  Trainer second = trainer(checkpoint.config);
  second.restore(checkpoint);
  while (!second.is_done()) {
    second.run_epoch();
  }
  Trainer reference = trainer(config(GetParam()));
  while (!reference.is_done()) {
    reference.run_epoch();
  }
  EXPECT_TRUE(are_equal(second.state_dict(), reference.state_dict()));
  EXPECT_EQ(second.history().back().loss, reference.history().back().loss);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, TrainerTest, ::testing::ValuesIn(kOptimizers));

TEST_F(TrainerTest, ACheckpointsBytesDoNotDependOnWhereItsRunWasInterrupted) {
  test::TempFolder folder;
  Trainer whole = trainer(config());
  for (int epoch = 0; epoch < 3; ++epoch) {
    whole.run_epoch();
    write_checkpoint(whole.checkpoint(), folder / ("whole" + std::to_string(epoch)));
  }
  Trainer second = trainer(config());
  second.restore(read_checkpoint(folder / "whole0"));
  second.run_epoch();
  second.run_epoch();
  write_checkpoint(second.checkpoint(), folder / "resumed2");
  EXPECT_EQ(test::read_file(folder / "resumed2"), test::read_file(folder / "whole2"));
}

TEST_F(TrainerTest, EarlyStoppingKeepsTheWeightsOfTheLowestValidationLoss) {
  TrainConfig patient = config();
  patient.patience = 2;
  patient.validation_fraction = 0.2;
  patient.lr = 0.5;
  patient.epochs = 1000;
  Trainer stopped = trainer(patient);
  EXPECT_EQ(stopped.training_count(), 96);
  std::vector<StateDict> weights;
  while (!stopped.is_done()) {
    stopped.run_epoch();
    StateDict copy;
    for (const auto& item : stopped.state_dict()) {
      copy.insert(item.key(), item.value().clone());
    }
    weights.push_back(copy);
  }
  ASSERT_TRUE(stopped.is_stopped_early());
  EXPECT_EQ(stopped.epoch(), stopped.best_epoch() + 2);
  const auto& history = stopped.history();
  const auto best = static_cast<std::size_t>(stopped.best_epoch()) - 1;
  for (const EpochRecord& record : history) {
    EXPECT_GE(*record.validation_loss, *history[best].validation_loss);
  }
  stopped.finish();
  EXPECT_TRUE(are_equal(stopped.state_dict(), weights[best]));
}

TEST_F(TrainerTest, TellsWhereItDiverges) {
  TrainConfig wild = config();
  wild.lr = 1e38;
  Trainer diverging = trainer(wild);
  const std::string error = test::error_of<Diverged>([&] {
    while (!diverging.is_done()) {
      diverging.run_epoch();
    }
  });
  EXPECT_EQ(error.substr(0, 30), "training diverged at epoch 1: ");
  EXPECT_EQ(error.substr(error.find(';')), "; try a --lr below 1e+38");
}

TEST_F(TrainerTest, RefusesACheckpointThatDoesNotFit) {
  Trainer trained = trainer(config());
  trained.run_epoch();
  const auto error_with = [&](auto&& change) {
    Checkpoint checkpoint = trained.checkpoint();
    change(checkpoint);
    Trainer other = trainer(config());
    return test::error_of<FormatError>([&] { other.restore(checkpoint); });
  };
  EXPECT_EQ(error_with([](Checkpoint& c) { c.rng_state = at::zeros({5056}, at::kByte); }),
            "rng_state is not one of this generator");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.rng_state = at::zeros({3}, at::kByte); }),
            "rng_state is not one of this generator");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.batch = 8; }), "batch: an epoch has fewer batches");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.optimizer.insert("0.max_exp_avg_sq", at::zeros({1})); }),
            "optimizer_state_dict: holds more than adam has");
  EXPECT_EQ(error_with([](Checkpoint& c) {
              StateDict less;
              less.insert("0.step", at::zeros({}));
              c.optimizer = less;
            }),
            "optimizer_state_dict: 1.step is missing, not finite, or does not fit the model");
}

}  // namespace
}  // namespace iris
