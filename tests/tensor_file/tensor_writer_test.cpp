// What is written comes back; Python's side of it is in tests/python.
#include "tensor_file/tensor_writer.h"

#include <gtest/gtest.h>

#include "error.h"
#include "io/bytes.h"
#include "support/errors.h"
#include "support/golden.h"
#include "tensor_file/selection.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// A dict of one float32 tensor (2, 3) for each name, all on one storage of 24 bytes.
TensorFile file_of(const std::vector<std::string>& names) {
  TensorFile file;
  StorageRecord storage;
  storage.dtype = dtype_of_name("float32");
  storage.size = 24;
  storage.data = bytes_of("012345678901234567890123");
  file.storages.push_back(storage);
  std::vector<Value> items;
  for (const std::string& name : names) {
    TensorRecord tensor;
    tensor.dtype = *dtype_of_name("float32");
    tensor.shape = {2, 3};
    tensor.strides = {3, 1};
    items.push_back(file.document.add_text(Kind::kString, name));
    items.push_back(Value::of_external(static_cast<std::uint32_t>(file.tensors.size())));
    file.tensors.push_back(tensor);
  }
  file.root = file.document.add_items(Kind::kOrderedDict, std::move(items), 0);
  return file;
}

class TensorWriter : public ::testing::Test {
 protected:
  TensorFile written(TensorFile file, const std::string& name) {
    const std::string path = folder_ / name;
    OutputFile output(path);
    if (name.ends_with(".pt")) {
      write_zip(file, file.root, output);
    } else {
      write_safetensors(file, file.root, output);
    }
    output.commit();
    return read_tensor_file(path);
  }

  std::string error_of(TensorFile file, const std::string& name) {
    return test::error_of<FormatError>([&] { written(std::move(file), name); });
  }

  test::TempFolder folder_;
};

TEST_F(TensorWriter, GivesBackNamesShapesAndBytes) {
  for (const std::string name : {"a.pt", "a.safetensors"}) {
    const TensorFile again = written(file_of({"w", "b.x"}), name);
    const auto tensors = named_tensors(again, again.root);
    ASSERT_EQ(tensors.size(), 2U);
    EXPECT_EQ(tensors[1].name, "b.x");
    EXPECT_EQ(tensors[1].tensor->shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(text_of(again.storages[tensors[1].tensor->storage].data), "012345678901234567890123");
  }
}

TEST_F(TensorWriter, WritesASharedStorageOnceWhereTheFormatCan) {
  EXPECT_EQ(written(file_of({"a", "b"}), "a.pt").storages.size(), 1U);
  EXPECT_EQ(written(file_of({"a", "b"}), "a.safetensors").storages.size(), 2U);
}

TEST_F(TensorWriter, RefusesANameThatIsNotUtf8) {
  EXPECT_EQ(error_of(file_of({"w\xff"}), "a.pt"), "the text \"w\\xff\" is not UTF-8");
  EXPECT_EQ(error_of(file_of({"w\xff"}), "a.safetensors"), "tensor \"w\\xff\": its name is not UTF-8");
}

TEST_F(TensorWriter, RefusesADtypeThatSafetensorsLacks) {
  TensorFile file = file_of({"w"});
  file.tensors[0].dtype = *dtype_of_name("complex32");
  EXPECT_EQ(error_of(std::move(file), "a.safetensors"),
            "tensor \"w\": safetensors has no dtype complex32; write a .pt");
}

TEST_F(TensorWriter, RefusesDataOfAnotherCrcThanIsKnown) {
  for (const std::string name : {"a.pt", "a.safetensors"}) {
    TensorFile file = file_of({"w"});
    file.storages[0].key = "7";
    file.storages[0].crc = 1;
    EXPECT_EQ(error_of(std::move(file), name), "storage \"7\": its CRC is wrong; the file is damaged");
  }
}

TEST(VerifyData, ComparesEveryStorageThatHasACrc) {
  verify_data(read_tensor_file(test::fixture("iris_net.pt")));
  TensorFile file = file_of({"w"});
  verify_data(file);
  file.storages[0].crc = 1;
  EXPECT_EQ(test::error_of<FormatError>([&] { verify_data(file); }),
            "storage \"\": its CRC is wrong; the file is damaged");
}

}  // namespace
}  // namespace iris
