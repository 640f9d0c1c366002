#include "io/bytes.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace iris {
namespace {

using namespace std::string_literals;

TEST(Bytes, AreTheTextsOwn) {
  const std::string text = "a\0b\xff"s;
  EXPECT_EQ(bytes_of(text).size(), 4U);
  EXPECT_EQ(text_of(bytes_of(text)).data(), text.data());
  EXPECT_EQ(text_of(bytes_of(text)), text);
}

TEST(Bytes, OfAnIntegerBeginWithTheLowest) {
  std::string bytes = "x";
  put_little_endian<std::uint32_t>(bytes, 0x80000201);
  put_little_endian<std::int16_t>(bytes, -2);
  EXPECT_EQ(bytes, "x\x01\x02\x00\x80\xfe\xff"s);
}

}  // namespace
}  // namespace iris
