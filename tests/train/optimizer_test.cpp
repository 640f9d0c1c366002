// That Python's optimizers give the same bits: tests/python/train/test_relay.py.
#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

class OptimizerTest : public ::testing::TestWithParam<Optimizer> {
 protected:
  static TrainConfig config(Optimizer optimizer) {
    TypedConfig typed;
    typed.optimizer = optimizer;
    return typed.with_defaults();
  }

  static std::vector<at::Tensor> parameters() {
    return {at::full({2, 3}, 0.5).requires_grad_(), at::full({2}, -1.0).requires_grad_()};
  }

  // A step for a loss with gradients that differ in every element.
  static void step(FusedOptimizer& optimizer, const std::vector<at::Tensor>& parameters) {
    optimizer.zero_grad();
    at::Tensor loss = at::zeros({});
    for (const at::Tensor& parameter : parameters) {
      loss = loss + (parameter * parameter * at::arange(1, parameter.numel() + 1).view(parameter.sizes())).sum();
    }
    loss.backward();
    optimizer.step();
  }

  static std::string error_of_loading(const StateDict& state) {
    FusedOptimizer optimizer(parameters(), config(Optimizer::kAdam));
    return test::error_of<FormatError>([&] { optimizer.load(state); });
  }
};

TEST_P(OptimizerTest, StepsAsLibTorchsOwnDoes) {
  const TrainConfig config = OptimizerTest::config(GetParam());
  const std::vector<at::Tensor> ours = parameters();
  const std::vector<at::Tensor> theirs = parameters();
  FusedOptimizer fused(ours, config);
  std::unique_ptr<torch::optim::Optimizer> plain;
  if (GetParam() == Optimizer::kSgd) {
    plain = std::make_unique<torch::optim::SGD>(theirs, torch::optim::SGDOptions(config.lr).momentum(config.momentum));
  } else if (GetParam() == Optimizer::kAdamW) {
    plain = std::make_unique<torch::optim::AdamW>(
        theirs, torch::optim::AdamWOptions(config.lr).weight_decay(config.weight_decay));
  } else {
    plain = std::make_unique<torch::optim::Adam>(theirs, torch::optim::AdamOptions(config.lr));
  }
  for (int i = 0; i < 3; ++i) {
    step(fused, ours);
    plain->zero_grad();
    for (std::size_t p = 0; p < theirs.size(); ++p) {
      const at::Tensor factors = at::arange(1, theirs[p].numel() + 1).view(theirs[p].sizes());
      (theirs[p] * theirs[p] * factors).sum().backward();
    }
    plain->step();
  }
  for (std::size_t p = 0; p < ours.size(); ++p) {
    EXPECT_TRUE(at::allclose(ours[p], theirs[p], 1e-5, 1e-6));
    EXPECT_FALSE(at::equal(ours[p], parameters()[p]));
  }
}

TEST_P(OptimizerTest, GoesOnWithALoadedState) {
  const std::vector<at::Tensor> one = parameters();
  const std::vector<at::Tensor> other = parameters();
  FusedOptimizer first(one, config(GetParam()));
  step(first, one);
  step(first, one);
  {
    FusedOptimizer before(other, config(GetParam()));
    step(before, other);
    FusedOptimizer after(other, config(GetParam()));
    after.load(before.state());
    step(after, other);
  }
  for (std::size_t p = 0; p < one.size(); ++p) {
    EXPECT_TRUE(at::equal(one[p], other[p]));
  }
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerTest, ::testing::ValuesIn(kOptimizers));

TEST_F(OptimizerTest, HasNoStateBeforeTheFirstStep) {
  EXPECT_EQ(FusedOptimizer(parameters(), config(Optimizer::kAdam)).state().size(), 0U);
}

TEST_F(OptimizerTest, SgdHasAStateWithMomentumOnly) {
  TrainConfig sgd = config(Optimizer::kSgd);
  EXPECT_EQ(FusedOptimizer::state_names(sgd).size(), 1U);
  sgd.momentum = 0;
  EXPECT_TRUE(FusedOptimizer::state_names(sgd).empty());
}

TEST_F(OptimizerTest, RefusesAStateThatDoesNotFit) {
  const std::string fault = " is missing, not finite, or does not fit the model";
  EXPECT_EQ(error_of_loading(StateDict()), "optimizer_state_dict: 0.step" + fault);
  const std::vector<at::Tensor> its = parameters();
  FusedOptimizer optimizer(its, config(Optimizer::kAdam));
  step(optimizer, its);
  const auto changed = [&](const std::string& key, const at::Tensor& tensor) {
    StateDict state;
    for (const auto& item : optimizer.state()) {
      state.insert(item.key(), item.key() == key ? tensor : item.value());
    }
    if (!state.contains(key)) {
      state.insert(key, tensor);
    }
    return state;
  };
  EXPECT_EQ(error_of_loading(changed("1.exp_avg", at::zeros({3}))), "optimizer_state_dict: 1.exp_avg" + fault);
  EXPECT_EQ(error_of_loading(changed("1.exp_avg", at::full({2}, INFINITY))), "optimizer_state_dict: 1.exp_avg" + fault);
  EXPECT_EQ(error_of_loading(changed("0.exp_avg", at::zeros({2, 3}, at::kDouble))),
            "optimizer_state_dict: 0.exp_avg" + fault);
  EXPECT_EQ(error_of_loading(changed("2.step", at::zeros({}))), "optimizer_state_dict: holds more than adam has");
}

TEST_F(OptimizerTest, ParamGroupsHaveTheConfiguredNumbers) {
  TrainConfig sgd = config(Optimizer::kSgd);
  sgd.lr = 0.25;
  for (const ParamGroupEntry& entry : param_group(sgd)) {
    const std::string key = entry.key;
    if (key == "lr" || key == "momentum") {
      EXPECT_EQ(std::get<double>(entry.value), key == "lr" ? 0.25 : 0.9);
      EXPECT_TRUE(entry.decides_bits);
    }
  }
  EXPECT_EQ(param_group(config(Optimizer::kAdam)).size(), 11U);
}

}  // namespace
}  // namespace iris
