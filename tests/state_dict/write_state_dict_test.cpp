// What is written comes back, bit for bit; Python's side of it is in tests/python.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error.h"
#include "state_dict/state_dict.h"
#include "support/errors.h"
#include "support/golden.h"

namespace iris {
namespace {

using test::fixture;

class WriteStateDict : public ::testing::Test {
 protected:
  test::TempFolder folder_;
  std::string path_ = folder_ / "model.pt";
};

void expect_same(const StateDict& actual, const StateDict& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    SCOPED_TRACE(expected[i].key());
    const at::Tensor& left = actual[i].value();
    const at::Tensor& right = expected[i].value();
    EXPECT_EQ(actual[i].key(), expected[i].key());
    EXPECT_EQ(left.dtype(), right.dtype());
    EXPECT_EQ(left.sizes(), right.sizes());
    const at::Tensor a = left.detach().resolve_conj().resolve_neg().contiguous();
    const at::Tensor b = right.detach().resolve_conj().resolve_neg().contiguous();
    EXPECT_EQ(std::string_view(static_cast<const char*>(a.const_data_ptr()), a.nbytes()),
              std::string_view(static_cast<const char*>(b.const_data_ptr()), b.nbytes()));
  }
}

TEST_F(WriteStateDict, GivesBackWhatWasRead) {
  for (const char* name : {"iris_net.pt", "dtypes.pt", "strided.pt", "legacy.pt", "data_parallel.pt"}) {
    SCOPED_TRACE(name);
    const StateDict before = read_state_dict(fixture(name));
    write_state_dict(before, path_);
    expect_same(read_state_dict(path_, std::nullopt, true), before);
  }
}

TEST_F(WriteStateDict, KeepsStridesAndSharing) {
  write_state_dict(read_state_dict(fixture("strided.pt")), path_);
  const StateDict after = read_state_dict(path_);
  EXPECT_EQ(after["transposed"].strides(), (std::vector<std::int64_t>{1, 3}));
  EXPECT_TRUE(after["shared_tail"].is_alias_of(after["shared_whole"]));
}

TEST_F(WriteStateDict, GivesTheSameBytesForTheSameTensors) {
  const StateDict tensors = read_state_dict(fixture("strided.pt"));
  write_state_dict(tensors, path_);
  write_state_dict(tensors, folder_ / "again.pt");
  EXPECT_TRUE(test::read_file(path_) == test::read_file(folder_ / "again.pt"));
}

TEST_F(WriteStateDict, WritesSafetensorsWhereThePathSaysSo) {
  const StateDict before = read_state_dict(fixture("iris_net.pt"));
  write_state_dict(before, folder_ / "model.safetensors");
  const StateDict after = read_state_dict(folder_ / "model.safetensors");
  for (const auto& item : before) {
    EXPECT_TRUE(torch::equal(after[item.key()], item.value())) << item.key();
  }
}

TEST_F(WriteStateDict, ReplacesTheFileThatItsTensorsAreMappedFrom) {
  write_state_dict(read_state_dict(fixture("iris_net.pt")), path_);
  write_state_dict(read_state_dict(path_), path_);
  expect_same(read_state_dict(path_, std::nullopt, true), read_state_dict(fixture("iris_net.pt")));
}

TEST_F(WriteStateDict, LeavesNothingBehindWhenItFails) {
  StateDict tensors;
  tensors.insert("sparse", torch::eye(3).to_sparse());
  EXPECT_NE(test::error_of<InputError>([&] { write_state_dict(tensors, path_); }), "");
  EXPECT_EQ(folder_.file_count(), 0);
}

TEST_F(WriteStateDict, RefusesANameThatIsNotUtf8) {
  StateDict tensors;
  tensors.insert("w\xff", torch::ones({1}));
  EXPECT_EQ(test::error_of<InputError>([&] { write_state_dict(tensors, path_); }),
            path_ + ": the text \"w\\xff\" is not UTF-8");
  const std::string other = folder_ / "model.safetensors";
  EXPECT_EQ(test::error_of<InputError>([&] { write_state_dict(tensors, other); }),
            other + ": tensor \"w\\xff\": its name is not UTF-8");
  EXPECT_EQ(test::error_of<InputError>([&] { write_state_dict(tensors, "-"); }),
            "stdout: the text \"w\\xff\" is not UTF-8");
  EXPECT_EQ(folder_.file_count(), 0);
}

TEST_F(WriteStateDict, SaysThatAFolderIsMissing) {
  const StateDict tensors = read_state_dict(fixture("iris_net.pt"));
  EXPECT_EQ(test::error_of<InputError>([&] { write_state_dict(tensors, folder_ / "none/model.pt"); }),
            (folder_ / "none/model.pt") + ": cannot be created: No such file or directory");
}

TEST_F(WriteStateDict, RoundTripsAModule) {
  torch::nn::Sequential before(torch::nn::Linear(3, 2), torch::nn::BatchNorm1d(2));
  torch::nn::Sequential after(torch::nn::Linear(3, 2), torch::nn::BatchNorm1d(2));
  write_state_dict(state_dict_of(*before), path_);
  load_state_dict(*after, read_state_dict(path_));
  expect_same(state_dict_of(*after), state_dict_of(*before));
}

}  // namespace
}  // namespace iris
