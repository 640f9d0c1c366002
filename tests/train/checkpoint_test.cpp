// That Python reads and writes the same: tests/python/train/test_relay.py.
#include "train/checkpoint.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <functional>

#include "error.h"
#include "model/iris_net.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  static Checkpoint example() {
    Checkpoint checkpoint;
    checkpoint.epoch = 2;
    checkpoint.batch = 3;
    checkpoint.loss_sum = 0.1;
    checkpoint.model = state_dict_of(*IrisNet());
    for (std::size_t i = 0; i < checkpoint.model.size(); ++i) {
      const std::string index = std::to_string(i);
      checkpoint.optimizer.insert(index + ".step", at::full({}, 16.0F));
      checkpoint.optimizer.insert(index + ".exp_avg", at::rand_like(checkpoint.model[i].value()));
      checkpoint.optimizer.insert(index + ".exp_avg_sq", at::rand_like(checkpoint.model[i].value()));
    }
    checkpoint.rng_state = at::arange(5056).to(at::kByte);
    checkpoint.config = TypedConfig().with_defaults();
    checkpoint.config.torch = "2.13.0";
    checkpoint.history = {{1, 0.5, 0.25, 1.0 / 3, 0.75, {}, {}}, {2, 0.25, 0.5, 1e-300, 1, {}, {}}};
    return checkpoint;
  }

  static bool are_equal(const StateDict& left, const StateDict& right) {
    bool are = left.size() == right.size();
    for (const auto& item : left) {
      are = are && right.contains(item.key()) && at::equal(item.value(), right[item.key()]);
    }
    return are;
  }

  // The error for a checkpoint with that change.
  std::string error_with(const std::function<void(Checkpoint&)>& change) const {
    Checkpoint checkpoint = example();
    change(checkpoint);
    write_checkpoint(checkpoint, path_);
    const std::string error = test::error_of<FormatError>([&] { read_checkpoint(path_); });
    const std::string place = path_ + ": damaged, or not a checkpoint of a training run: ";
    return error.starts_with(place) ? error.substr(place.size()) : error;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "c.pt";
};

TEST_F(CheckpointTest, ComesBackAsItWasWritten) {
  const Checkpoint written = example();
  write_checkpoint(written, path_);
  const Checkpoint read = read_checkpoint(path_);
  EXPECT_EQ(read.epoch, 2);
  EXPECT_EQ(read.batch, 3);
  EXPECT_EQ(read.loss_sum, 0.1);
  EXPECT_TRUE(are_equal(read.model, written.model));
  EXPECT_TRUE(are_equal(read.optimizer, written.optimizer));
  EXPECT_TRUE(at::equal(read.rng_state, written.rng_state));
  EXPECT_FALSE(read.best);
  EXPECT_EQ(read.config.lr, 0.005);
  EXPECT_EQ(read.config.torch, "2.13.0");
  EXPECT_FALSE(read.config.patience);
  ASSERT_EQ(read.history.size(), 2U);
  EXPECT_EQ(read.history[0].test_loss, 1.0 / 3);
  EXPECT_EQ(read.history[1].test_loss, 1e-300);
  EXPECT_FALSE(read.history[1].validation_loss);
}

// With early stopping: the first of two epochs is the best.
Checkpoint with_best(Checkpoint checkpoint) {
  checkpoint.config.patience = 5;
  checkpoint.config.validation_fraction = 0.2;
  checkpoint.best = BestWeights{1, state_dict_of(*IrisNet())};
  for (EpochRecord& record : checkpoint.history) {
    record.validation_loss = static_cast<double>(record.epoch);
    record.validation_accuracy = 0.5;
  }
  return checkpoint;
}

TEST_F(CheckpointTest, KeepsTheBestWeights) {
  const Checkpoint written = with_best(example());
  write_checkpoint(written, path_);
  const Checkpoint read = read_checkpoint(path_);
  ASSERT_TRUE(read.best);
  EXPECT_EQ(read.best->epoch, 1);
  EXPECT_TRUE(are_equal(read.best->state_dict, written.best->state_dict));
  EXPECT_EQ(read.config.patience, 5);
  EXPECT_EQ(read.history[1].validation_loss, 2.0);
}

TEST_F(CheckpointTest, IsRefusedWhereAValueCannotBe) {
  EXPECT_EQ(error_with([](Checkpoint& c) { c.epoch = 3; }), "history does not have a record for each of 3 epochs");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.config.batch_size = 0; }), "config.batch_size is out of range");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.config.hidden = std::int64_t{1} << 40; }),
            "config.hidden is out of range");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.config.lr = -1; }), "config.lr is out of range");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.config.weight_decay = std::nan(""); }),
            "config.weight_decay is out of range");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.config.epochs = 1; }), "epoch is not one of 1");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.loss_sum = std::nan(""); }), "loss_sum is not that of 3 batches");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.batch = 0; }), "loss_sum is not that of 0 batches");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.history[1].loss = std::nan(""); }),
            "history has no whole record of epoch 2");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.history[0].epoch = 7; }), "history has no whole record of epoch 1");
  EXPECT_EQ(error_with([](Checkpoint& c) { c.best = BestWeights{1, c.model}; }),
            "best does not go with config.patience");
  EXPECT_EQ(error_with([](Checkpoint& c) {
              c = with_best(std::move(c));
              c.best->epoch = 2;
            }),
            "best is not that of history");
}

TEST_F(CheckpointTest, IsRefusedWhereItsWeightsAreNotThoseOfTheModel) {
  const auto error_with_weights = [&](const StateDict& weights) {
    return error_with([&](Checkpoint& c) { c.model = weights; });
  };
  const std::string fault = "model_state_dict is not that of an IrisNet of 16 hidden units, in finite float32 numbers";
  EXPECT_EQ(error_with_weights(state_dict_of(*IrisNet(IrisNetOptions().hidden(8)))), fault);
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    StateDict broken;
    for (const auto& item : state_dict_of(*IrisNet())) {
      broken.insert(item.key(),
                    dtype == at::kFloat ? at::full_like(item.value(), std::nan("")) : item.value().to(dtype));
    }
    EXPECT_EQ(error_with_weights(broken), fault);
  }
}

TEST_F(CheckpointTest, IsRefusedWhereItIsAnotherFile) {
  write_state_dict(state_dict_of(*IrisNet()), path_);
  EXPECT_EQ(test::error_of<FormatError>([&] { read_checkpoint(path_); }),
            path_ + ": damaged, or not a checkpoint of a training run: epoch is missing");
}

TEST_F(CheckpointTest, IsRefusedTruncatedAtEveryLengthAndWithAnyDataChanged) {
  write_checkpoint(example(), path_);
  const std::string whole = test::read_file(path_);
  for (std::size_t length = 0; length < whole.size(); length += 13) {
    test::write_file(path_, std::string_view(whole).substr(0, length));
    EXPECT_THROW(read_checkpoint(path_), FormatError) << length;
  }
  std::string changed = whole;
  const auto weights = whole.find(std::string_view("archive/data/0"));
  ASSERT_NE(weights, std::string::npos);
  changed[weights + 200] ^= 1;
  test::write_file(path_, changed);
  EXPECT_THROW(read_checkpoint(path_), FormatError);
}

TEST_F(CheckpointTest, AFailedWriteLeavesTheOldOne) {
  write_checkpoint(example(), path_);
  const std::string old = test::read_file(path_);
  Checkpoint broken = example();
  broken.model.insert("sparse", at::zeros({2, 2}).to_sparse());
  EXPECT_THROW(write_checkpoint(broken, path_), InputError);
  EXPECT_EQ(test::read_file(path_), old);
  EXPECT_EQ(folder_.file_count(), 1);
}

}  // namespace
}  // namespace iris
