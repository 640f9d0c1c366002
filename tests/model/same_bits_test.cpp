// One row, one answer: IrisNet's logits have the same bits however a row comes.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <span>

#include "model/classifier.h"
#include "model/iris_net.h"
#include "state_dict/state_dict.h"
#include "support/temp_file.h"

namespace iris {
namespace {

constexpr std::size_t kRows = 4200;  // more than one pass of the usual batch size
constexpr std::size_t kFeatures = 4;

class SameBits : public ::testing::TestWithParam<std::int64_t> {
 protected:
  SameBits() : folder_(), path_(folder_ / "model.pt") {
    torch::manual_seed(static_cast<std::uint64_t>(GetParam()));
    const IrisNet net(IrisNetOptions().hidden(GetParam()));
    write_state_dict(state_dict_of(*net), path_);
    const at::Tensor features = at::randn({kRows, kFeatures}) * 3;
    rows_.assign(features.const_data_ptr<float>(), features.const_data_ptr<float>() + features.numel());
  }

  Classifier open(std::optional<WeightDtype> dtype = {}) const {
    return Classifier::open(path_, {.device = "cpu", .dtype = dtype, .hidden = GetParam()});
  }

  std::vector<float> logits(const Classifier& classifier, std::size_t first, std::size_t count) const {
    return classifier.predict(std::span(rows_).subspan(first * kFeatures, count * kFeatures), count).outputs;
  }

  // The first place where rows alone or in other company have other bits than all of them together; "" if none.
  std::string difference(const Classifier& classifier) const {
    const std::vector<float> all = logits(classifier, 0, kRows);
    const std::size_t classes = all.size() / kRows;
    for (const std::size_t count :
         {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 15U, 16U, 17U, 33U, 64U, 100U, 257U, 1000U, 2047U, 2048U, 4096U}) {
      for (const std::size_t first : {0U, 1U, 3U, 37U, 104U}) {
        const std::vector<float> some = logits(classifier, first, count);
        const auto expected = std::span(all).subspan(first * classes, count * classes);
        if (!std::equal(some.begin(), some.end(), expected.begin(), expected.end())) {
          return std::to_string(count) + " rows from " + std::to_string(first);
        }
      }
    }
    return "";
  }

  test::TempFolder folder_;
  std::string path_;
  std::vector<float> rows_;
};

TEST_P(SameBits, OfARowInAnyCompany) { EXPECT_EQ(difference(open()), ""); }

TEST_P(SameBits, OfARowInBfloat16) { EXPECT_EQ(difference(open(WeightDtype::kBFloat16)), ""); }

TEST_P(SameBits, OfARowInFloat16) { EXPECT_EQ(difference(open(WeightDtype::kFloat16)), ""); }

TEST_P(SameBits, WithAnyNumberOfThreads) {
  const std::vector<float> expected = logits(open(), 0, kRows);
  torch::set_num_threads(4);
  const std::vector<float> actual = logits(open(), 0, kRows);
  torch::set_num_threads(1);
  EXPECT_EQ(actual, expected);
}

TEST_P(SameBits, AreNearTheModulesOwn) {
  IrisNet net(IrisNetOptions().hidden(GetParam()));
  load_state_dict(*net, read_state_dict(path_));
  const torch::NoGradGuard no_grad;
  const at::Tensor own = net->forward(torch::tensor(rows_).view({-1, kFeatures})).contiguous();
  const std::vector<float> answers = logits(open(), 0, kRows);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const float value = own.const_data_ptr<float>()[i];
    ASSERT_NEAR(answers[i], value, 2e-6F * std::max(1.0F, std::abs(value))) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, SameBits, ::testing::Values(1, 2, 3, 5, 7, 8, 12, 16, 17, 31, 64, 67, 68, 100, 513));

}  // namespace
}  // namespace iris
