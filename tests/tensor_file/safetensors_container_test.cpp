#include <gtest/gtest.h>

#include "support/pickle_bytes.h"
#include "support/read_file_bytes.h"
#include "tensor_file/containers.h"
#include "tensor_file/selection.h"

namespace iris {
namespace {

using test::little_endian;
using namespace std::string_literals;

std::string file_of(const std::string& header, const std::string& data) {
  return little_endian(header.size(), 8) + header + data;
}

// Why the header is refused, with 24 bytes of data behind it; without "safetensors: ".
std::string header_error(const std::string& header, std::size_t data_size = 24) {
  const std::string message = test::file_error(file_of(header, std::string(data_size, 'd')));
  return message.starts_with("safetensors: ") ? message.substr(13) : message;
}

const std::string kGood = R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})";

TEST(Safetensors, AreRead) {
  const TensorFile file = test::read_bytes(file_of(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],"data_offsets":[4,12]},)"
      R"("a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[12,12]}})",
      "abcdefghijkl"));
  EXPECT_EQ(file.container, Container::kSafetensors);
  const auto tensors = named_tensors(file, file.root);
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors[0].name, "b");
  EXPECT_EQ(name_of(tensors[1].tensor->dtype), "bfloat16");
  EXPECT_EQ(file.storages[tensors[0].tensor->storage].data[0], std::byte{'e'});
  EXPECT_EQ(tensors[2].tensor->shape, (std::vector<std::int64_t>{0, 7}));
}

TEST(Safetensors, AreReadWithBlanksAfterTheHeader) { EXPECT_EQ(header_error(kGood + "   "), ""); }

TEST(Safetensors, MayHaveMetadataThatIsNull) {
  EXPECT_EQ(header_error(R"({"__metadata__":null,)" + kGood.substr(1)), "");
  EXPECT_NE(header_error(R"({"w":null})"), "");
}

TEST(Safetensors, AreRefusedAtEveryTruncation) {
  const std::string whole = file_of(kGood, std::string(24, 'd'));
  ASSERT_EQ(test::file_error(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(test::file_error(whole.substr(0, size)), "") << size;
  }
}

TEST(Safetensors, RefuseAHeaderLongerThanTheFile) {
  EXPECT_EQ(test::file_error(little_endian(1000, 8) + "{}"),
            "safetensors: the header of 1000 bytes is longer than the file; it is truncated");
}

TEST(Safetensors, RefuseAHeaderOfMoreThanAHundredMegabytes) {
  EXPECT_EQ(test::file_error(little_endian(~std::uint64_t{0}, 8) + "{}"),
            "safetensors: the header claims 18446744073709551615 bytes; at most 100000000 are read");
}

TEST(Safetensors, RefuseAnUnknownDtype) {
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F33","shape":[6],"data_offsets":[0,24]}})"),
            "tensor \"w\": dtype \"F33\" is unknown");
}

TEST(Safetensors, RefuseOffsetsOutsideTheFile) {
  const std::string message = "tensor \"w\": its data_offsets lie outside the file";
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[7],"data_offsets":[0,28]}})"), message);
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[6],"data_offsets":[24,0]}})"), message);
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[6],"data_offsets":[0]}})"), message);
}

TEST(Safetensors, RefuseAnotherNumberOfBytesThanTheShapeNeeds) {
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[5],"data_offsets":[0,24]}})"),
            "tensor \"w\": its shape needs another number of bytes than its 24");
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[0],"data_offsets":[0,24]}})"),
            "tensor \"w\": its shape needs another number of bytes than its 24");
}

TEST(Safetensors, RefuseHalfOfAByteAndSixBits) {
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F4","shape":[8,3],"data_offsets":[0,24]}})"),
            "tensor \"w\": its last dimension is not even, and torch has no half of a byte");
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F4","shape":[],"data_offsets":[0,24]}})"),
            "tensor \"w\": its last dimension is not even, and torch has no half of a byte");
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F6_E2M3","shape":[32],"data_offsets":[0,24]}})"),
            "tensor \"w\": dtype \"F6_E2M3\" is of 6 bits, which PyTorch lacks");
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F4","shape":[4,12],"data_offsets":[0,24]}})"), "");
}

TEST(Safetensors, RefuseShapesThatOverflow) {
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,24]}})"),
            "tensor \"w\": its shape needs more than its 24 bytes");
}

TEST(Safetensors, RefuseDataThatOverlaps) {
  EXPECT_EQ(header_error(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},)"
                         R"("b":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}})"),
            "the tensors' data overlap at data offset 8");
}

TEST(Safetensors, RefuseDataThatLeavesAHole) {
  EXPECT_EQ(header_error(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                         R"("b":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}})"),
            "the tensors' data leave a hole at data offset 16");
}

TEST(Safetensors, RefuseBytesOfNoTensor) { EXPECT_EQ(header_error(kGood, 25), "1 bytes belong to no tensor"); }

TEST(Safetensors, RefuseDuplicateNames) {
  EXPECT_EQ(header_error(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},)"
                         R"("a":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}})"),
            "the header has the key \"a\" twice");
}

TEST(Safetensors, RefuseATensorWithoutItsParts) {
  EXPECT_EQ(header_error(R"({"w":{"dtype":"F32","shape":[6]}})"),
            "the header has a tensor without dtype, shape or data_offsets");
}

TEST(Safetensors, RefuseDeepJson) {
  EXPECT_NE(header_error(R"({"w":)" + test::repeated("{\"a\":", 100'000)), "");
  EXPECT_NE(header_error(R"({"w":)" + test::repeated("[", 100'000)), "");
}

TEST(Safetensors, RefuseNumbersThatAreNone) {
  for (const char* number : {"-1", "1.5", "1e3", "true", "null", "\"6\"", "99999999999999999999", "[6]"}) {
    EXPECT_NE(header_error(R"({"w":{"dtype":"F32","shape":[)"s + number + R"(],"data_offsets":[0,24]}})"), "")
        << number;
  }
}

TEST(Safetensors, RefuseAHeaderThatIsNoJson) {
  EXPECT_TRUE(header_error("{not json}").starts_with("the header is not JSON at its byte "));
  EXPECT_TRUE(header_error(kGood + "x").starts_with("the header is not JSON at its byte "));
}

}  // namespace
}  // namespace iris
