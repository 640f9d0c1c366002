// The fixtures, as Python reads them (golden.json), and all that is cut off or changed in them.
#include "tensor_file/tensor_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/golden.h"
#include "support/read_file_bytes.h"
#include "tensor_file/selection.h"

namespace iris {
namespace {

using nlohmann::json;
using test::fixture;

class GoldenTensors : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTensors, HaveThePropertiesThatPythonSees) {
  const TensorFile file = read_tensor_file(fixture(GetParam()));
  const json expected = test::golden(GetParam()).at("tensors");
  const auto tensors = named_tensors(file, file.root);
  ASSERT_EQ(tensors.size(), expected.size());
  for (const auto& [name, tensor, is_named, is_own_name] : tensors) {
    SCOPED_TRACE(name);
    const json& wanted = expected.at(name);
    EXPECT_EQ(name_of(tensor->dtype), wanted.at("dtype").get<std::string>());
    EXPECT_EQ(json(tensor->shape), wanted.at("shape"));
    EXPECT_EQ(json(tensor->strides), wanted.at("stride"));
    EXPECT_EQ(tensor->offset, wanted.at("storage_offset").get<std::int64_t>());
    EXPECT_EQ(tensor->requires_grad, wanted.at("requires_grad").get<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(TensorFile, GoldenTensors, ::testing::Values("dtypes.pt", "strided.pt"));

TEST(TensorFile, KeepsSharedStoragesShared) {
  const TensorFile file = read_tensor_file(fixture("strided.pt"));
  const auto storage_of = [&](const char* name) { return file.tensor(*file.document.find(file.root, name))->storage; };
  EXPECT_EQ(storage_of("shared_whole"), storage_of("shared_tail"));
  EXPECT_NE(storage_of("shared_whole"), storage_of("transposed"));
}

TEST(TensorFile, KeepsACheckpointsPlainValues) {
  const TensorFile file = read_tensor_file(fixture("checkpoint.pt"));
  EXPECT_EQ(file.document.find(file.root, "epoch")->integer, 10);
  EXPECT_EQ(file.document.find(file.root, "loss")->real, 0.25);
}

TEST(TensorFile, TellsTorchScriptFromTensors) {
  EXPECT_TRUE(read_tensor_file(fixture("scripted.pt")).is_torchscript);
  EXPECT_FALSE(read_tensor_file(fixture("plain_dict.pt")).is_torchscript);
}

TEST(TensorFile, ReadsAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string bytes = test::read_file(fixture("plain_dict.pt"));
  ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::close(ends[1]);
  const TensorFile piped = read_tensor_file("/dev/fd/" + std::to_string(ends[0]));
  ::close(ends[0]);
  EXPECT_EQ(piped.tensors.size(), 4U);
}

class GoodFile : public ::testing::TestWithParam<const char*> {};

TEST_P(GoodFile, IsReadWhole) { EXPECT_EQ(test::file_error(test::read_file(fixture(GetParam()))), ""); }

TEST_P(GoodFile, IsRefusedAtEveryTruncation) {
  const std::string whole = test::read_file(fixture(GetParam()));
  test::MemoryFile file(whole);
  for (std::size_t size = whole.size(); size-- > 0;) {
    file.cut_to(size);
    ASSERT_NE(test::file_error(file), "") << "at " << size;
  }
}

TEST_P(GoodFile, IsReadOrRefusedWithAnyByteChanged) {
  const std::string whole = test::read_file(fixture(GetParam()));
  test::MemoryFile changed(whole);
  for (std::size_t place = 0; place < whole.size(); ++place) {
    changed.write_at(place, std::string(1, static_cast<char>(whole[place] ^ (place % 2 == 0 ? 0xFF : 0x01))));
    try {
      const TensorFile file = read_tensor_file(changed.path());
      for (const NamedTensor& named : named_tensors(file, file.root)) {
        ASSERT_LT(named.tensor->storage, file.storages.size());
      }
    } catch (const FormatError& error) {
      ASSERT_TRUE(std::string(error.what()).starts_with(changed.path() + ": ")) << error.what();
    }
    changed.write_at(place, whole.substr(place, 1));
  }
}

INSTANTIATE_TEST_SUITE_P(TensorFile, GoodFile,
                         ::testing::Values("iris_net.pt", "iris_net.ts.pt", "plain_dict.pt", "checkpoint.pt",
                                           "data_parallel.pt", "compiled.pt", "two_models.pt", "wide_hidden.pt",
                                           "dtypes.pt", "strided.pt", "legacy.pt", "scripted.pt", "traced.pt",
                                           "frozen.pt", "train_mode.pt", "no_names.pt", "whole_model.pt",
                                           "whole_legacy.pt", "numpy.pt", "numpy_legacy.pt"));

}  // namespace
}  // namespace iris
