// The fixtures as LibTorch's tensors: bit for bit what Python has.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error.h"
#include "state_dict/state_dict.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using nlohmann::json;
using test::fixture;

std::string row_major_hex(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().resolve_conj().resolve_neg().contiguous();
  const auto* bytes = static_cast<const unsigned char*>(plain.const_data_ptr());
  std::string hex;
  for (std::size_t i = 0; i < plain.nbytes(); ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += {kDigits[bytes[i] >> 4], kDigits[bytes[i] & 15]};
  }
  return hex;
}

class GoldenStateDict : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenStateDict, HasPythonsTensors) {
  const StateDict tensors = read_state_dict(fixture(GetParam()));
  const json expected = test::golden(GetParam()).at("tensors");
  ASSERT_EQ(tensors.size(), expected.size());
  for (const auto& item : tensors) {
    SCOPED_TRACE(item.key());
    const json& wanted = expected.at(item.key());
    EXPECT_EQ(json(item.value().sizes().vec()), wanted.at("shape"));
    EXPECT_EQ(json(item.value().strides().vec()), wanted.at("stride"));
    EXPECT_EQ(item.value().storage_offset(), wanted.at("storage_offset").get<std::int64_t>());
    EXPECT_EQ(item.value().requires_grad(), wanted.at("requires_grad").get<bool>());
    EXPECT_EQ(row_major_hex(item.value()), wanted.at("bytes").get<std::string>());
  }
}

TEST_P(GoldenStateDict, SharesWhatPythonShares) {
  const StateDict tensors = read_state_dict(fixture(GetParam()));
  const json golden = test::golden(GetParam());
  for (const json& names : golden.at("shared_storages")) {
    for (const json& name : names) {
      EXPECT_TRUE(tensors[name.get<std::string>()].is_alias_of(tensors[names[0].get<std::string>()])) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ReadStateDict, GoldenStateDict, ::testing::Values("dtypes.pt", "strided.pt"));

std::vector<std::string> names_in(const StateDict& state_dict) {
  std::vector<std::string> names;
  for (const auto& item : state_dict) {
    names.push_back(item.key());
  }
  return names;
}

TEST(ReadStateDict, KeepsTheFilesOrder) {
  EXPECT_EQ(names_in(read_state_dict(fixture("iris_net.pt"))),
            (std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}));
}

TEST(ReadStateDict, KeepsPrefixesAsTheyAre) {
  EXPECT_EQ(names_in(read_state_dict(fixture("data_parallel.pt")))[0], "module.fc1.weight");
  EXPECT_EQ(names_in(read_state_dict(fixture("compiled.pt")))[0], "_orig_mod.fc1.weight");
}

TEST(ReadStateDict, FindsTheModelInACheckpoint) {
  const StateDict model = read_state_dict(fixture("iris_net.pt"));
  const StateDict found = read_state_dict(fixture("checkpoint.pt"));
  for (const auto& item : model) {
    EXPECT_TRUE(torch::equal(found[item.key()], item.value())) << item.key();
  }
}

TEST(ReadStateDict, TakesAKey) {
  EXPECT_TRUE(torch::equal(read_state_dict(fixture("two_models.pt"), "netG")["fc2.bias"],
                           read_state_dict(fixture("iris_net.pt"))["fc2.bias"]));
}

TEST(ReadStateDict, SaysWhichFileLacksTheKey) {
  EXPECT_EQ(test::error_of<FormatError>([] { read_state_dict(fixture("two_models.pt"), "netX"); }),
            fixture("two_models.pt") + ": there is no dictionary \"netX\" in it; there are: netG, netD");
}

TEST(ReadStateDict, AsksForAKeyWhereThereAreSeveralModels) {
  EXPECT_EQ(test::error_of<FormatError>([] { read_state_dict(fixture("two_models.pt")); }),
            fixture("two_models.pt") + ": holds several state_dicts: netG, netD");
}

TEST(ReadStateDict, LetsTheCallerChooseAKey) {
  EXPECT_EQ(test::choice_of<FormatError>([] { read_state_dict(fixture("two_models.pt")); }).of, Choice::Of::kKey);
}

TEST(ReadStateDict, ReadsTheLegacyContainerAlike) {
  const StateDict model = read_state_dict(fixture("iris_net.pt"));
  const StateDict legacy = read_state_dict(fixture("legacy.pt"));
  ASSERT_EQ(names_in(legacy), names_in(model));
  for (const auto& item : model) {
    EXPECT_TRUE(torch::equal(legacy[item.key()], item.value())) << item.key();
  }
}

TEST(ReadStateDict, GivesTensorsThatOutliveTheFile) {
  const test::TempFolder folder;
  const std::string path = folder / "model.pt";
  test::write_file(path, test::read_file(fixture("iris_net.pt")));
  const at::Tensor weight = read_state_dict(path)["fc1.weight"];
  std::filesystem::remove(path);
  EXPECT_TRUE(torch::equal(weight, read_state_dict(fixture("iris_net.pt"))["fc1.weight"]));
}

TEST(ReadStateDict, GivesTensorsThatMayBeWrittenTo) {
  const test::TempFolder folder;
  const std::string path = folder / "model.pt";
  const std::string bytes = test::read_file(fixture("iris_net.pt"));
  test::write_file(path, bytes);
  const StateDict tensors = read_state_dict(path);
  tensors["fc1.weight"].zero_();
  EXPECT_EQ(tensors["fc1.weight"].abs().sum().item<float>(), 0);
  EXPECT_EQ(test::read_file(path), bytes);
}

std::string file_of_one_tensor(const std::string& storage_type, const std::string& data, std::int64_t numel) {
  const test::TensorParts parts{.storage = test::push_storage(storage_type, "0", numel),
                                .shape = test::push_ints({numel}),
                                .strides = test::push_ints({1})};
  return test::torch_zip(test::pickle_of(test::push_ordered_dict({test::push_text("w"), test::push_tensor(parts)})),
                         {{"0", data}});
}

TEST(ReadStateDict, ReadsDataAtAnyAlignment) {
  const test::TempFolder folder;
  const std::string data = test::little_endian(0x0102030405060708, 8) + test::little_endian(42, 8);
  test::write_file(folder / "model.pt", file_of_one_tensor("LongStorage", data, 2));
  EXPECT_EQ(read_state_dict(folder / "model.pt")["w"][1].item<std::int64_t>(), 42);
}

TEST(ReadStateDict, SeesAWrongCrcOfAStorageWhenAskedTo) {
  const test::TempFolder folder;
  std::string bytes = file_of_one_tensor("ByteStorage", "abcdefgh", 8);
  bytes[bytes.find("abcdefgh")] = 'A';
  test::write_file(folder / "model.pt", bytes);
  EXPECT_NE(test::error_of<FormatError>([&] { read_state_dict(folder / "model.pt", std::nullopt, true); }), "");
}

TEST(ReadStateDict, DoesNotAllocateWhatZeroStridesPretend) {
  const test::TempFolder folder;
  const test::TensorParts parts{.shape = test::push_ints({std::int64_t{1} << 40}), .strides = test::push_ints({0})};
  test::write_file(
      folder / "model.pt",
      test::torch_zip(test::pickle_of(test::push_ordered_dict({test::push_text("w"), test::push_tensor(parts)})),
                      {{"0", std::string(24, 'd')}}));
  EXPECT_EQ(read_state_dict(folder / "model.pt")["w"].numel(), std::int64_t{1} << 40);
}

}  // namespace
}  // namespace iris
