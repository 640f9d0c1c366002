#include "tensor_file/crc32.h"

#include <gtest/gtest.h>

#include <string>

#include "io/bytes.h"

namespace iris {
namespace {

std::uint32_t crc_of(const std::string& text) { return crc32(bytes_of(text)); }

TEST(Crc32, GivesTheStandardsCheckValue) { EXPECT_EQ(crc_of("123456789"), 0xCBF43926U); }

TEST(Crc32, GivesZeroForNothing) { EXPECT_EQ(crc_of(""), 0U); }

TEST(Crc32, AgreesWithTheBitwiseDefinitionAtEveryLength) {
  std::string text;
  std::uint32_t remainder = 0xFFFFFFFF;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(crc_of(text), ~remainder) << i;
    text += static_cast<char>(i * 37);
    remainder ^= static_cast<unsigned char>(text.back());
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
}

}  // namespace
}  // namespace iris
