#include "serve/protocol/tensor_type.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace iris::serve {
namespace {

template <class Number>
std::optional<float> read(const char* type, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  return find_tensor_type(type)->read(bytes);
}

float half(std::uint16_t bits) { return read("FP16", bits).value(); }

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

TEST(TensorType, ReadsDoublesRounded) { EXPECT_EQ(read("FP64", 0.1), 0.1F); }

TEST(TensorType, ReadsSignedAndUnsignedIntegers) {
  EXPECT_EQ(read("INT8", std::int8_t{-1}), -1.0F);
  EXPECT_EQ(read("UINT8", std::uint8_t{255}), 255.0F);
}

TEST(TensorType, TakesTheLargestIntegersBelowEachGap) {
  EXPECT_EQ(float_of_integer(std::int64_t{16777216}), 16777216.0F);
  EXPECT_EQ(float_of_integer(std::numeric_limits<std::int64_t>::min()), -std::ldexp(1.0F, 63));
}

TEST(TensorType, RefusesIntegersThatFloat32DoesNotHold) {
  EXPECT_EQ(float_of_integer(std::int64_t{16777217}), std::nullopt);
  EXPECT_EQ(float_of_integer(std::int64_t{-16777217}), std::nullopt);
  EXPECT_EQ(float_of_integer(std::numeric_limits<std::int64_t>::max()), std::nullopt);
  EXPECT_EQ(float_of_integer(std::numeric_limits<std::uint64_t>::max()), std::nullopt);
}

}  // namespace
}  // namespace iris::serve
