#include <gtest/gtest.h>
#include <torch/torch.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "error.h"
#include "model/iris_net.h"
#include "state_dict/state_dict.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/temp_file.h"

namespace iris {
namespace {

// A small model's tensors: every value is its place in the list.
StateDict good_state_dict(const std::string& prefix = "") {
  StateDict state_dict;
  state_dict.insert(prefix + "fc1.weight", torch::full({2, 4}, 1.0));
  state_dict.insert(prefix + "fc1.bias", torch::full({2}, 2.0));
  state_dict.insert(prefix + "fc2.weight", torch::full({3, 2}, 3.0));
  state_dict.insert(prefix + "fc2.bias", torch::full({3}, 4.0));
  return state_dict;
}

StateDict without(const StateDict& from, const std::string& name) {
  StateDict rest;
  for (const auto& item : from) {
    if (item.key() != name) {
      rest.insert(item.key(), item.value());
    }
  }
  return rest;
}

StateDict with(const StateDict& from, const std::string& name, const at::Tensor& tensor) {
  StateDict changed = without(from, name);
  changed.insert(name, tensor);
  return changed;
}

class LoadStateDict : public ::testing::Test {
 protected:
  LoadStateDict() {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : net_->parameters()) {
      parameter.fill_(-7);
    }
  }

  std::string error_of(const StateDict& state_dict) {
    return test::error_of<InputError>([&] { load_state_dict(*net_, state_dict); });
  }

  bool is_unchanged() const {
    for (const auto& parameter : net_->parameters()) {
      if (!torch::equal(parameter, torch::full_like(parameter, -7))) {
        return false;
      }
    }
    return true;
  }

  float sum_of(const std::string& name) const { return net_->named_parameters()[name].sum().item<float>(); }

  IrisNet net_{IrisNetOptions().hidden(2)};
};

TEST_F(LoadStateDict, CopiesEveryTensor) {
  load_state_dict(*net_, good_state_dict());
  EXPECT_EQ(sum_of("fc1.weight"), 8);
  EXPECT_EQ(sum_of("fc1.bias"), 4);
  EXPECT_EQ(sum_of("fc2.weight"), 18);
  EXPECT_EQ(sum_of("fc2.bias"), 12);
}

TEST_F(LoadStateDict, KeepsRequiresGradOfTheModule) {
  load_state_dict(*net_, good_state_dict());
  EXPECT_TRUE(net_->fc1->weight.requires_grad());
}

TEST_F(LoadStateDict, DoesNotTieTheModuleToTheSource) {
  const StateDict state_dict = good_state_dict();
  load_state_dict(*net_, state_dict);
  state_dict["fc1.bias"].zero_();
  EXPECT_EQ(sum_of("fc1.bias"), 4);
}

TEST_F(LoadStateDict, PassesOverWrapperPrefixes) {
  for (const char* prefix : {"module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod."}) {
    EXPECT_EQ(error_of(good_state_dict(prefix)), "") << prefix;
  }
  EXPECT_EQ(sum_of("fc1.weight"), 8);
}

TEST_F(LoadStateDict, PassesOverAPrefixOnlyWhereAllNamesHaveIt) {
  StateDict state_dict = without(good_state_dict(), "fc1.bias");
  state_dict.insert("module.fc1.bias", torch::zeros({2}));
  EXPECT_NE(error_of(state_dict), "");
}

struct WrappedImpl : torch::nn::Module {
  WrappedImpl() { register_module("module", inner); }
  torch::nn::Linear inner{2, 1};
};

TEST_F(LoadStateDict, KeepsAPrefixThatTheModuleHasToo) {
  WrappedImpl wrapped;
  StateDict state_dict;
  state_dict.insert("module.weight", torch::ones({1, 2}));
  state_dict.insert("module.bias", torch::ones({1}));
  load_state_dict(wrapped, state_dict);
  EXPECT_EQ(wrapped.inner->weight.sum().item<float>(), 2);
}

TEST_F(LoadStateDict, ConvertsDtypes) {
  for (const auto dtype : {torch::kFloat64, torch::kFloat16, torch::kBFloat16, torch::kInt64, torch::kUInt8,
                           torch::kFloat8_e4m3fn, torch::kBool}) {
    EXPECT_EQ(error_of(with(good_state_dict(), "fc1.bias", torch::ones({2}).to(dtype))), "") << dtype;
    EXPECT_EQ(sum_of("fc1.bias"), 2) << dtype;
    EXPECT_EQ(net_->fc1->bias.dtype(), torch::kFloat32);
  }
}

TEST_F(LoadStateDict, CopiesAnyStrides) {
  const at::Tensor transposed = torch::arange(8, torch::kFloat).reshape({4, 2}).t();
  load_state_dict(*net_, with(good_state_dict(), "fc1.weight", transposed));
  EXPECT_TRUE(torch::equal(net_->fc1->weight, transposed));
}

TEST_F(LoadStateDict, FillsBuffersToo) {
  torch::nn::BatchNorm1d norm(3);
  StateDict state_dict;
  state_dict.insert("weight", torch::full({3}, 1.0));
  state_dict.insert("bias", torch::full({3}, 2.0));
  state_dict.insert("running_mean", torch::full({3}, 3.0));
  state_dict.insert("running_var", torch::full({3}, 4.0));
  state_dict.insert("num_batches_tracked", torch::tensor(5, torch::kInt64));
  load_state_dict(*norm, state_dict);
  EXPECT_EQ(norm->running_mean.sum().item<float>(), 9);
  EXPECT_EQ(norm->num_batches_tracked.item<std::int64_t>(), 5);
}

TEST_F(LoadStateDict, ListsAMissingKey) {
  EXPECT_EQ(error_of(without(good_state_dict(), "fc2.bias")),
            "the state_dict does not fit the model:\n  missing key: fc2.bias (3,)");
}

TEST_F(LoadStateDict, ListsAnUnexpectedKey) {
  EXPECT_EQ(error_of(with(good_state_dict(), "fc3.bias", torch::zeros({5}))),
            "the state_dict does not fit the model:\n  unexpected key: fc3.bias (5,)");
}

TEST_F(LoadStateDict, ListsAShapeMismatch) {
  EXPECT_EQ(error_of(with(good_state_dict(), "fc1.weight", torch::zeros({4, 2}))),
            "the state_dict does not fit the model:\n"
            "  shape mismatch: fc1.weight is (4, 2) in the file, (2, 4) in the model");
}

TEST_F(LoadStateDict, ListsAllThatIsWrongInOneMessage) {
  StateDict state_dict;
  state_dict.insert("fc1.weight", torch::zeros({16, 4}));
  state_dict.insert("fc1.bias", torch::zeros({2}));
  state_dict.insert("head.bias", torch::zeros({7}));
  state_dict.insert("fc2.weight", torch::zeros({3, 16}));
  state_dict.insert("extra", torch::tensor(1.0));
  EXPECT_EQ(error_of(state_dict),
            "the state_dict does not fit the model:\n"
            "  missing key: fc2.bias (3,)\n"
            "  unexpected key: head.bias (7,)\n"
            "  unexpected key: extra ()\n"
            "  shape mismatch: fc1.weight is (16, 4) in the file, (2, 4) in the model\n"
            "  shape mismatch: fc2.weight is (3, 16) in the file, (3, 2) in the model");
}

TEST_F(LoadStateDict, ListsEveryKeyOfAnEmptyStateDictAsMissing) {
  EXPECT_EQ(error_of(StateDict()),
            "the state_dict does not fit the model:\n  missing key: fc1.weight (2, 4)\n  missing key: fc1.bias (2,)\n"
            "  missing key: fc2.weight (3, 2)\n  missing key: fc2.bias (3,)");
}

TEST_F(LoadStateDict, SuggestsTheNearName) {
  StateDict state_dict = without(good_state_dict(), "fc2.bias");
  state_dict.insert("fc2.bais", torch::zeros({3}));
  EXPECT_EQ(error_of(state_dict),
            "the state_dict does not fit the model:\n  missing key: fc2.bias (3,); is it the file's fc2.bais?\n"
            "  unexpected key: fc2.bais (3,)");
}

TEST_F(LoadStateDict, SuggestsNoNameOfAnotherShape) {
  StateDict state_dict = without(good_state_dict(), "fc2.bias");
  state_dict.insert("fc2.bais", torch::zeros({4}));
  EXPECT_EQ(error_of(state_dict),
            "the state_dict does not fit the model:\n  missing key: fc2.bias (3,)\n  unexpected key: fc2.bais (4,)");
}

TEST_F(LoadStateDict, SuggestsToDropACommonPrefix) {
  const std::string message = error_of(good_state_dict("backbone.net."));
  EXPECT_TRUE(message.ends_with("\n  the file's names have one more prefix: \"backbone.net.\"")) << message;
}

TEST_F(LoadStateDict, LetsTheCallerChooseToDropThePrefix) {
  const Choice choice = test::choice_of<InputError>([&] { load_state_dict(*net_, good_state_dict("backbone.net.")); });
  EXPECT_EQ(choice.of, Choice::Of::kPrefix);
  EXPECT_EQ(choice.value, "backbone.net.");
}

TEST_F(LoadStateDict, RefusesComplexNumbersForRealOnes) {
  EXPECT_EQ(error_of(with(good_state_dict(), "fc1.bias", torch::zeros({2}, torch::kComplexFloat))),
            "the state_dict does not fit the model:\n"
            "  dtype mismatch: fc1.bias is complex in the file, real in the model");
}

TEST_F(LoadStateDict, ChangesNothingWhenAKeyIsMissing) {
  EXPECT_NE(error_of(without(good_state_dict(), "fc2.bias")), "");
  EXPECT_TRUE(is_unchanged());
}

TEST_F(LoadStateDict, ChangesNothingWhenAKeyIsUnexpected) {
  EXPECT_NE(error_of(with(good_state_dict(), "more", torch::zeros({1}))), "");
  EXPECT_TRUE(is_unchanged());
}

TEST_F(LoadStateDict, ChangesNothingWhenAShapeDiffers) {
  EXPECT_NE(error_of(with(good_state_dict(), "fc2.bias", torch::zeros({4}))), "");
  EXPECT_TRUE(is_unchanged());
}

// LibTorch has no conversion from these to float32; that must be known before the first tensor is copied.
TEST_F(LoadStateDict, ChangesNothingWhenADtypeCannotBeConverted) {
  for (const auto dtype : {torch::kBits8, torch::kFloat4_e2m1fn_x2}) {
    EXPECT_NE(error_of(with(good_state_dict(), "fc2.bias", torch::empty({3}, dtype))), "") << dtype;
    EXPECT_TRUE(is_unchanged()) << dtype;
  }
}

TEST_F(LoadStateDict, ComparesShapesBeforeItReadsHugeZeroStrides) {
  const at::Tensor huge = torch::zeros({1}).expand({std::int64_t{1} << 40});
  EXPECT_NE(error_of(with(good_state_dict(), "fc2.bias", huge)), "");
}

TEST_F(LoadStateDict, FitsThePythonTrainedModel) {
  IrisNet net;
  load_state_dict(*net, read_state_dict(test::fixture("iris_net.pt")));
  EXPECT_TRUE(torch::equal(net->fc1->weight, read_state_dict(test::fixture("iris_net.pt"))["fc1.weight"]));
}

TEST_F(LoadStateDict, AFileThatChangedSinceItWasReadChangesNothing) {
  const test::TempFolder folder;
  const std::string path = folder / "model.pt";
  torch::nn::Linear module(300, 300);
  for (const bool is_cut : {true, false}) {
    write_state_dict(state_dict_of(*torch::nn::Linear(300, 300)), path);
    const StateDict state_dict = read_state_dict(path);
    const at::Tensor before = module->weight.detach().clone();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (is_cut) {
      std::filesystem::resize_file(path, 0);
    } else {
      std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).write("PK", 2);
    }
    EXPECT_EQ(test::error_of<FormatError>([&] { load_state_dict(*module, state_dict); }),
              path + (is_cut ? ": was cut short while it was read; try again once it is whole"
                             : ": is written to while it is read; try again once it is whole"));
    EXPECT_TRUE(torch::equal(module->weight, before));
  }
}

TEST_F(LoadStateDict, AFileThatWasReplacedSinceItWasReadLoads) {
  const test::TempFolder folder;
  const std::string path = folder / "model.pt";
  torch::nn::Linear module(3, 3);
  write_state_dict(state_dict_of(*module), path);
  const StateDict state_dict = read_state_dict(path);
  write_state_dict(state_dict_of(*torch::nn::Linear(3, 3)), path);
  torch::nn::Linear other(3, 3);
  load_state_dict(*other, state_dict);
  EXPECT_TRUE(torch::equal(other->weight, module->weight));
}

}  // namespace
}  // namespace iris
