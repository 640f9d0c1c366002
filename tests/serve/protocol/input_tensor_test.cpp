#include "serve/protocol/input_tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serve/fake_model.h"
#include "serve/protocol/json.h"
#include "serve/refusal.h"

namespace iris::serve {
namespace {

const FakeModel kModel;

std::string input_of(const std::string& datatype, const std::string& shape, const std::string& data) {
  return R"({"datatype":")" + datatype + R"(","shape":)" + shape + R"(,"data":)" + data + "}";
}

std::string binary_input_of(const std::string& datatype, std::size_t size) {
  return R"({"shape":[1,4],"datatype":")" + datatype + R"(","parameters":{"binary_data_size":)" + std::to_string(size) +
         "}}";
}

Rows read(const std::string& input, std::string_view binary = "") {
  return read_input(parse_json(input), "input", kModel, binary);
}

std::string refused(const std::string& input, std::string_view binary = "") {
  return refusal([&] { read(input, binary); });
}

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

const std::string kFourFloats = bytes_of<float>({1, 2, 3, 4});

TEST(InputTensor, TakesDataFlatAndNested) {
  for (const char* data : {"[1,2,3,4,5,6,7,8]", "[[1,2,3,4],[5,6,7,8]]"}) {
    const Rows rows = read(input_of("FP32", "[2,4]", data));
    EXPECT_EQ(rows.values, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8})) << data;
    EXPECT_EQ(rows.count, 2) << data;
  }
}

TEST(InputTensor, TakesAWholeNumberWrittenAsAFloat) {
  EXPECT_EQ(read(input_of("FP32", "[1.0,4]", "[1,2,3,4]")).count, 1);
}

TEST(InputTensor, TakesAnyWidthWhereTheModelNamesNoFeatures) {
  std::string_view none;
  const FakeModel nameless{std::vector<std::string>()};
  const Rows rows = read_input(parse_json(input_of("FP32", "[2,1]", "[1,2]")), "input", nameless, none);
  EXPECT_EQ(rows.values, (std::vector<float>{1, 2}));
}

TEST(InputTensor, TakesEveryTypeThatFits) {
  for (const char* type :
       {"FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}) {
    EXPECT_EQ(read(input_of(type, "[1,4]", "[1,2,3,4]")).values, (std::vector<float>{1, 2, 3, 4})) << type;
  }
}

TEST(InputTensor, RefusesTypesThatDoNotFit) {
  for (const char* type : {"BOOL", "BYTES", "fp32", ""}) {
    EXPECT_EQ(
        refused(input_of(type, "[1,4]", "[1,2,3,4]")),
        "400 input.datatype: \"" + std::string(type) + "\" cannot be taken; send FP32, FP64, FP16 or an integer type");
  }
}

TEST(InputTensor, RefusesANumberPastFp16) {
  EXPECT_EQ(refused(input_of("FP16", "[1,4]", "[1,2,65536,4]")), "400 input.data[2]: 65536 does not fit FP16");
}

TEST(InputTensor, RefusesANumberPastItsIntegerType) {
  EXPECT_EQ(refused(input_of("UINT8", "[1,4]", "[1,2,256,4]")), "400 input.data[2]: 256 does not fit UINT8");
}

TEST(InputTensor, RefusesAFractionOfAnIntegerType) {
  EXPECT_EQ(refused(input_of("INT32", "[1,4]", "[1,2,2.5,4]")), "400 input.data[2]: 2.5 does not fit INT32");
}

TEST(InputTensor, RefusesAnIntegerThatFloat32DoesNotHold) {
  EXPECT_EQ(refused(input_of("INT64", "[1,4]", "[16777217,2,3,4]")),
            "400 input.data[0]: is an integer that float32 does not hold");
  EXPECT_EQ(refused(input_of("UINT64", "[1,4]", "[18446744073709551615,2,3,4]")),
            "400 input.data[0]: is an integer that float32 does not hold");
}

TEST(InputTensor, RefusesTheFirstIntegerPastInt64ThoughItsDoubleIsTheLargest) {
  EXPECT_EQ(refused(input_of("INT64", "[1,4]", "[9223372036854775808,2,3,4]")),
            "400 input.data[0]: 9223372036854775808 does not fit INT64");
}

TEST(InputTensor, RefusesShapesThatLie) {
  const std::pair<const char*, const char*> kShapes[] = {
      {"[1,3]", "input.shape: [1,3] is not [-1, 4]"},
      {"[4]", "input.shape: [4] is not [-1, 4]"},
      {"[1,1,4]", "input.shape: [1,1,4] is not [-1, 4]"},
      {"[-1,4]", "input.shape: is not a whole number from 0"},
      {"[1.5,4]", "input.shape: is not a whole number from 0"},
      {"[0,4]", "input.shape: [0,4] holds no number; send one row or more"},
      {"[4611686018427387904,4]", "input.shape: [4611686018427387904,4] is more than any memory holds"},
      {"[2,4]", "input.data: has 4 numbers where its shape says 8"},
      {"4", "input.shape: is not a list"},
      {"null", "input.shape: is missing"},
  };
  for (const auto& [shape, message] : kShapes) {
    EXPECT_EQ(refused(input_of("FP32", shape, "[1,2,3,4]")), "400 " + std::string(message));
  }
}

TEST(InputTensor, RefusesNestedRowsOfAnotherWidth) {
  EXPECT_EQ(refused(input_of("FP32", "[2,4]", "[[1,2,3],[4,5,6,7,8]]")),
            "400 input.data: has 3 numbers where its shape says 4");
}

TEST(InputTensor, RefusesDataNestedTooDeep) {
  EXPECT_EQ(refused(input_of("FP32", "[1,4]", "[[[1,2,3,4]]]")),
            "400 input.data: has 1 numbers where its shape says 4");
}

TEST(InputTensor, RefusesAnotherNumberOfRowsThanItsShapeSays) {
  EXPECT_EQ(refused(input_of("FP32", "[2,4]", "[[1,2,3,4]]")), "400 input.data: is not nested as its shape says");
}

TEST(InputTensor, RefusesDataThatIsNotAList) {
  EXPECT_EQ(refused(input_of("FP32", "[1,4]", "1")), "400 input.data: is not a list");
}

TEST(InputTensor, RefusesAnInputWithoutData) {
  EXPECT_EQ(refused(input_of("FP32", "[1,4]", "null")), "400 input.data: is missing");
}

TEST(InputTensor, TakesBinaryDataOfEachType) {
  const std::vector<float> expected = {1, -2, 0.5, 4};
  EXPECT_EQ(read(binary_input_of("FP32", 16), bytes_of(expected)).values, expected);
  EXPECT_EQ(read(binary_input_of("FP16", 8), bytes_of<std::uint16_t>({0x3C00, 0xC000, 0x3800, 0x4400})).values,
            expected);
  EXPECT_EQ(read(binary_input_of("FP64", 32), bytes_of<double>({1, -2, 0.5, 4})).values, expected);
  EXPECT_EQ(read(binary_input_of("INT16", 8), bytes_of<std::int16_t>({1, -2, 300, 4})).values,
            (std::vector<float>{1, -2, 300, 4}));
}

TEST(InputTensor, LeavesTheBytesAfterItsOwn) {
  const std::string bytes = kFourFloats + "rest";
  std::string_view binary = bytes;
  read_input(parse_json(binary_input_of("FP32", 16)), "input", kModel, binary);
  EXPECT_EQ(binary, "rest");
}

TEST(InputTensor, RefusesABinarySizeOtherThanItsShapes) {
  EXPECT_EQ(refused(binary_input_of("FP32", 12), kFourFloats),
            "400 input.parameters.binary_data_size: 12 is not the 16 bytes of its shape and datatype");
}

TEST(InputTensor, RefusesBinaryDataThatIsCutShort) {
  EXPECT_EQ(refused(binary_input_of("FP32", 16), kFourFloats.substr(1)),
            "400 input.parameters.binary_data_size: only 15 bytes follow the JSON");
}

TEST(InputTensor, RefusesABinaryNumberThatIsNotFinite) {
  EXPECT_EQ(refused(binary_input_of("FP32", 16), bytes_of<std::uint32_t>({0, 0x7F800000, 0, 0})),
            "400 input.data[1]: is not finite as float32");
}

TEST(InputTensor, RefusesDataBothInJsonAndBinary) {
  EXPECT_EQ(refused(R"({"datatype":"FP32","shape":[1,4],"data":[1,2,3,4],"parameters":{"binary_data_size":16}})"),
            "400 input: has data and binary_data_size; send one of them");
}

TEST(InputTensor, RefusesSharedMemory) {
  EXPECT_EQ(refused(R"({"datatype":"FP32","shape":[1,4],"parameters":{"shared_memory_region":"r"}})"),
            "400 input.parameters.shared_memory_region: this server has no shared memory; send the data");
}

template <class Number>
std::optional<float> element(const char* type, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  return find_tensor_type(type)->read(bytes);
}

float half(std::uint16_t bits) { return element("FP16", bits).value(); }

TEST(TensorType, IsFoundByItsName) {
  EXPECT_EQ(find_tensor_type("FP64")->size, 8);
  EXPECT_EQ(find_tensor_type("UINT16")->size, 2);
}

TEST(TensorType, IsNotFoundWhereNoNumberOfItIsAFloat) {
  for (const char* name : {"BYTES", "BOOL", "BF16", "fp32", ""}) {
    EXPECT_EQ(find_tensor_type(name), nullptr) << name;
  }
}

TEST(TensorType, KnowsWhichAreIntegers) {
  EXPECT_TRUE(find_tensor_type("UINT8")->is_integer());
  EXPECT_FALSE(find_tensor_type("FP32")->is_integer());
}

TEST(TensorType, KnowsTheRangeOfIntegers) {
  EXPECT_EQ(find_tensor_type("INT8")->lowest, -128);
  EXPECT_EQ(find_tensor_type("INT8")->highest, 127);
}

TEST(TensorType, ReadsHalves) {
  EXPECT_EQ(half(0x3C00), 1);
  EXPECT_EQ(half(0xC000), -2);
  EXPECT_EQ(half(0x7BFF), 65504);
  EXPECT_EQ(half(0x0001), std::ldexp(1.0F, -24));  // the smallest, which is subnormal
  EXPECT_EQ(half(0x03FF), std::ldexp(1023.0F, -24));
  EXPECT_TRUE(std::signbit(half(0x8000)));
}

TEST(TensorType, ReadsHalvesThatAreNotFinite) {
  EXPECT_EQ(half(0x7C00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(half(0xFC00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(half(0x7C01)));
}

TEST(TensorType, ReadsDoublesRounded) { EXPECT_EQ(element("FP64", 0.1), 0.1F); }

TEST(TensorType, ReadsSignedAndUnsignedIntegers) {
  EXPECT_EQ(element("INT8", std::int8_t{-1}), -1.0F);
  EXPECT_EQ(element("UINT8", std::uint8_t{255}), 255.0F);
}

TEST(TensorType, TakesTheLargestIntegersBelowEachGap) {
  EXPECT_EQ(element("INT64", std::int64_t{16777216}), 16777216.0F);
  EXPECT_EQ(element("INT64", std::numeric_limits<std::int64_t>::min()), -std::ldexp(1.0F, 63));
}

TEST(TensorType, RefusesIntegersThatFloat32DoesNotHold) {
  EXPECT_EQ(element("INT64", std::int64_t{16777217}), std::nullopt);
  EXPECT_EQ(element("INT64", std::int64_t{-16777217}), std::nullopt);
  EXPECT_EQ(element("INT64", std::numeric_limits<std::int64_t>::max()), std::nullopt);
  EXPECT_EQ(element("UINT64", std::numeric_limits<std::uint64_t>::max()), std::nullopt);
}

}  // namespace
}  // namespace iris::serve
