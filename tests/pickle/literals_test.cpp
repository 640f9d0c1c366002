#include "pickle/literals.h"

#include <gtest/gtest.h>

namespace iris::pickle {
namespace {

using namespace std::string_view_literals;

TEST(Latin1Bytes, GivesOneByteForEachCharacter) {
  EXPECT_EQ(latin1_bytes("aé\xC2\x80ÿ"), "a\xE9\x80\xFF");
  EXPECT_EQ(latin1_bytes(""), "");
}

TEST(Latin1Bytes, RefusesCharactersBeyondIt) { EXPECT_EQ(latin1_bytes("aĀ"), std::nullopt); }

TEST(UnquotedRepr, ReadsBothQuotesAndEveryEscape) {
  EXPECT_EQ(unquoted_repr("'abc'"), "abc");
  EXPECT_EQ(unquoted_repr("\"it's\""), "it's");
  EXPECT_EQ(unquoted_repr(R"('\\\'\"\n\r\t\a\b\f\v\x41\x00')"), "\\'\"\n\r\t\a\b\f\vA\0"sv);
  EXPECT_EQ(unquoted_repr("''"), "");
}

TEST(UnquotedRepr, RefusesBadQuoting) {
  for (const std::string_view repr : {""sv, "'"sv, "abc"sv, "'abc"sv, "'abc\""sv, "'a'b'"sv}) {
    EXPECT_EQ(unquoted_repr(repr), std::nullopt) << repr;
  }
}

TEST(UnquotedRepr, RefusesBadEscapes) {
  for (const std::string_view repr : {R"('\')"sv, R"('\q')"sv, R"('\x4')"sv, R"('\xg1')"sv, R"('\x-1')"sv}) {
    EXPECT_EQ(unquoted_repr(repr), std::nullopt) << repr;
  }
}

TEST(UnescapedUnicode, ReadsLatin1AndEscapes) {
  EXPECT_EQ(unescaped_unicode("a\xE9\\u20ac\\U0001f600\\n"), "aé€😀\\n");
}

TEST(UnescapedUnicode, KeepsSurrogatesAsPythonDoes) {
  EXPECT_EQ(unescaped_unicode(R"(a\ud800)"), "a\xED\xA0\x80");
  EXPECT_EQ(unescaped_unicode(R"(\ud83d\ude00)"), "\xED\xA0\xBD\xED\xB8\x80");
}

TEST(UnescapedUnicode, RefusesWhatIsNoCharacter) {
  for (const std::string_view text : {R"(\u12)"sv, R"(\uzzzz)"sv, R"(\U00110000)"sv, R"(\U1234567)"sv}) {
    EXPECT_EQ(unescaped_unicode(text), std::nullopt) << text;
  }
}

TEST(SmallInteger, ReadsTwosComplementOfAnyLength) {
  EXPECT_EQ(small_integer(""), 0);
  EXPECT_EQ(small_integer("\xFF"), -1);
  EXPECT_EQ(small_integer("\xFF\0"sv), 255);
  EXPECT_EQ(small_integer("\x00\x80"sv), -32768);
  EXPECT_EQ(small_integer("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(small_integer("\0\0\0\0\0\0\0\x80"sv), std::numeric_limits<std::int64_t>::min());
}

TEST(SmallInteger, ReadsLongFormsThatFit) {
  EXPECT_EQ(small_integer("\x05\0\0\0\0\0\0\0\0\0"sv), 5);
  EXPECT_EQ(small_integer("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), -2);
}

TEST(SmallInteger, RefusesMoreThanSixtyFourBits) {
  EXPECT_EQ(small_integer("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0"sv), std::nullopt);
  EXPECT_EQ(small_integer("\0\0\0\0\0\0\0\x80\0"sv), std::nullopt);
  EXPECT_EQ(small_integer("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\xFF"), std::nullopt);
  EXPECT_EQ(small_integer("\0\0\0\0\0\0\0\0\x01"sv), std::nullopt);
}

TEST(DecimalToLittleEndian, AgreesWithSmallInteger) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{255}, std::int64_t{-256},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    const auto bytes = decimal_to_little_endian(std::to_string(value));
    ASSERT_TRUE(bytes) << value;
    EXPECT_EQ(small_integer(*bytes), value);
  }
  EXPECT_EQ(small_integer(decimal_to_little_endian("+12").value()), 12);
}

TEST(DecimalToLittleEndian, ReadsNumbersBeyondSixtyFourBits) {
  EXPECT_EQ(decimal_to_little_endian("18446744073709551616"), "\0\0\0\0\0\0\0\0\1\0"sv);
}

TEST(DecimalToLittleEndian, RefusesWhatIsNoNumber) {
  for (const std::string_view text : {""sv, "-"sv, "1x"sv, " 1"sv, "1.5"sv, "--1"sv}) {
    EXPECT_EQ(decimal_to_little_endian(text), std::nullopt) << text;
  }
}

TEST(DecimalToLittleEndian, RefusesMoreDigitsThanPythonDoes) {
  EXPECT_TRUE(decimal_to_little_endian(std::string(4300, '9')));
  EXPECT_EQ(decimal_to_little_endian(std::string(4301, '9')), std::nullopt);
}

}  // namespace
}  // namespace iris::pickle
