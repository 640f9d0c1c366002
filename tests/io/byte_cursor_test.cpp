#include "io/byte_cursor.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace iris {
namespace {

ByteCursor cursor_on(std::string_view text, std::size_t base = 0) {
  return ByteCursor(std::as_bytes(std::span(text.data(), text.size())), base);
}

TEST(ByteCursor, TakesLittleEndianIntegers) {
  using namespace std::string_view_literals;
  ByteCursor cursor = cursor_on("\x01\x02\x03\xFF\xFE\xFF\xFF\xFF\x08\x07\x06\x05\x04\x03\x02\x81"sv);
  EXPECT_EQ(cursor.take<std::uint8_t>(), 1);
  EXPECT_EQ(cursor.take<std::uint16_t>(), 0x0302);
  EXPECT_EQ(cursor.take<std::int8_t>(), -1);
  EXPECT_EQ(cursor.take<std::int32_t>(), -2);
  EXPECT_EQ(cursor.take<std::uint64_t>(), 0x8102030405060708U);
  EXPECT_EQ(cursor.remaining(), 0U);
}

TEST(ByteCursor, TakesBigEndianDoubles) {
  using namespace std::string_view_literals;
  EXPECT_EQ(cursor_on("\xC0\x04\0\0\0\0\0\0"sv).take_big_endian_double(), -2.5);
}

TEST(ByteCursor, TakesLinesWithoutTheirNewline) {
  ByteCursor cursor = cursor_on("one\n\ntwo\n");
  EXPECT_EQ(cursor.take_line(), "one");
  EXPECT_EQ(cursor.take_line(), "");
  EXPECT_EQ(cursor.take_line(), "two");
  EXPECT_EQ(cursor.remaining(), 0U);
}

TEST(ByteCursor, CountsOffsetsFromItsBase) {
  ByteCursor cursor = cursor_on("abcd", 100);
  cursor.take_text(3);
  EXPECT_EQ(cursor.offset(), 103U);
}

TEST(ByteCursor, TakesNothingAtTheEnd) {
  ByteCursor cursor = cursor_on("");
  EXPECT_EQ(cursor.take_bytes(0).size(), 0U);
}

TEST(ByteCursor, RefusesToReadPastTheEnd) {
  ByteCursor cursor = cursor_on("abcd", 10);
  cursor.take<std::uint8_t>();
  EXPECT_EQ(test::error_of<FormatError>([&] { cursor.take_text(4); }), "offset 11: 4 bytes are needed, 3 are left");
}

TEST(ByteCursor, RefusesTheLargestLength) {
  ByteCursor cursor = cursor_on("abcd");
  EXPECT_EQ(test::error_of<FormatError>([&] { cursor.take_bytes(~std::uint64_t{0}); }),
            "offset 0: 18446744073709551615 bytes are needed, 4 are left");
}

TEST(ByteCursor, RefusesAnIntegerThatIsCutOff) {
  ByteCursor cursor = cursor_on("abc");
  EXPECT_EQ(test::error_of<FormatError>([&] { cursor.take<std::uint32_t>(); }),
            "offset 0: 4 bytes are needed, 3 are left");
}

TEST(ByteCursor, RefusesALineWithoutNewline) {
  ByteCursor cursor = cursor_on("abc");
  EXPECT_EQ(test::error_of<FormatError>([&] { cursor.take_line(); }), "offset 0: a line has no end");
  EXPECT_EQ(test::error_of<FormatError>([] { cursor_on("").take_line(); }), "offset 0: a line has no end");
}

TEST(ByteCursor, DoesNotMoveWhenItRefuses) {
  ByteCursor cursor = cursor_on("abcd");
  EXPECT_NE(test::error_of<FormatError>([&] { cursor.take_bytes(5); }), "");
  EXPECT_EQ(cursor.take_text(4), "abcd");
}

}  // namespace
}  // namespace iris
