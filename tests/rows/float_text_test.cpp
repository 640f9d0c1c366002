#include "rows/float_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace iris {
namespace {

// Equal to strtof in every bit.
::testing::AssertionResult agrees_with_strtof(const std::string& text) {
  const std::optional<float> parsed = parse_float(text);
  const float expected = std::strtof(text.c_str(), nullptr);
  if (parsed && std::bit_cast<std::uint32_t>(*parsed) == std::bit_cast<std::uint32_t>(expected)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << '"' << text << "\" gives " << (parsed ? *parsed : NAN) << ", strtof "
                                       << expected;
}

std::string printed(const char* format, double value) {
  char buffer[512];
  const int size = std::snprintf(buffer, sizeof buffer, format, value);
  return {buffer, static_cast<std::size_t>(size)};
}

std::string shortest_text(float value) {
  char buffer[16];
  return {buffer, write_shortest(value, buffer)};
}

TEST(ParseFloat, AgreesWithStrtofOnRandomBitPatterns) {
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) {
      ASSERT_TRUE(agrees_with_strtof(printed("%.9g", static_cast<double>(value))));
      ASSERT_TRUE(agrees_with_strtof(shortest_text(value)));
    }
  }
}

TEST(ParseFloat, AgreesWithStrtofHalfwayBetweenFloats) {  // where rounding to double first goes wrong
  std::mt19937 random(2);
  for (int i = 0; i < 50'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()) & 0x7EFFFFFF);
    const double halfway = (static_cast<double>(value) + static_cast<double>(std::nextafter(value, INFINITY))) / 2;
    std::string text = printed("%.60e", halfway);
    ASSERT_TRUE(agrees_with_strtof(text));
    text.insert(text.find('e'), "000000000000000000001");
    ASSERT_TRUE(agrees_with_strtof(text));
  }
}

TEST(ParseFloat, AgreesWithStrtofOnDenormals) {
  for (std::uint32_t bits = 0; bits < 2000; ++bits) {
    ASSERT_TRUE(agrees_with_strtof(printed("%.9g", static_cast<double>(std::bit_cast<float>(bits)))));
  }
  for (const char* text : {"1e-45", "7e-46", "7.1e-46", "1e-46", "1e-400", "-1e-400", "1.17549435e-38", "0e999"}) {
    EXPECT_TRUE(agrees_with_strtof(text));
  }
}

TEST(ParseFloat, GivesInfinityForTooLargeANumber) {
  for (const char* text : {"3.5e38", "-3.5e38", "1e999", "3.4028236e38"}) {
    EXPECT_TRUE(agrees_with_strtof(text));
    EXPECT_TRUE(std::isinf(parse_float(text).value())) << text;
  }
}

TEST(ParseFloat, ReadsTheLargestFloat) {
  EXPECT_EQ(parse_float("3.4028235e38"), std::numeric_limits<float>::max());
  EXPECT_EQ(parse_float("3.4028235677973e38"), std::numeric_limits<float>::max());
}

TEST(ParseFloat, ReadsUsualSpellings) {
  EXPECT_EQ(parse_float("5.1"), 5.1F);
  EXPECT_EQ(parse_float("5"), 5.0F);
  EXPECT_EQ(parse_float("5."), 5.0F);
  EXPECT_EQ(parse_float("+5.1"), 5.1F);
  EXPECT_EQ(parse_float("+.5"), 0.5F);
  EXPECT_EQ(parse_float("-.5"), -0.5F);
  EXPECT_EQ(parse_float("1E3"), 1000.0F);
  EXPECT_EQ(parse_float("1e+3"), 1000.0F);
  EXPECT_EQ(parse_float("007"), 7.0F);
}

TEST(ParseFloat, KeepsTheSignOfZero) { EXPECT_TRUE(std::signbit(parse_float("-0").value())); }

TEST(ParseFloat, PassesOverBlanksAround) { EXPECT_EQ(parse_float(" \t5.1 "), 5.1F); }

TEST(ParseFloat, ReadsVeryLongNumbers) {
  EXPECT_TRUE(agrees_with_strtof("0." + std::string(2000, '0') + "1e2000"));
  EXPECT_TRUE(agrees_with_strtof(std::string(2000, '9') + "e-2000"));
}

TEST(ParseFloat, GivesWhatIsNotFinite) {
  EXPECT_TRUE(std::isinf(parse_float("inf").value()));
  EXPECT_TRUE(std::isinf(parse_float("-Infinity").value()));
  EXPECT_TRUE(std::isnan(parse_float("nan").value()));
}

TEST(ParseFloat, RefusesWhatIsNoNumber) {
  for (const char* text : {"",    " ",   "abc",  "5.1x",  "5,1", "1e",    "1e+",   ".",    "+", "-",    "--5", "+-5",
                           "-+5", "++5", "0x10", "0x1p3", "1 2", "5.1.2", "1_000", "5.1f", "٥", "NULL", "\n5", "5\r"}) {
    EXPECT_EQ(parse_float(text), std::nullopt) << text;
  }
}

TEST(ParseFloat, RefusesANulByte) { EXPECT_EQ(parse_float(std::string_view("5\0", 2)), std::nullopt); }

// The value, or NaN where it is left to parse_float; nothing but the newline may be left.
float short_decimal(const std::string& text) {
  float value = 0;
  const std::string line = text + "\n";
  const char* const end = parse_decimal(line.c_str(), line.c_str() + line.size(), value);
  return end == line.c_str() + text.size() ? value : NAN;
}

TEST(ParseDecimal, AgreesWithStrtofOnAllNumbersOfAFewDigits) {
  for (int digits = 1; digits <= 4; ++digits) {
    for (int number = 0; number < std::pow(10, digits); ++number) {
      char text[16];
      const int size = std::snprintf(text, sizeof text, "%0*d", digits, number);
      for (int point = 0; point <= size; ++point) {
        std::string decimal(text);
        decimal.insert(static_cast<std::size_t>(point), ".");
        ASSERT_EQ(short_decimal(decimal), std::strtof(decimal.c_str(), nullptr)) << decimal;
      }
    }
  }
}

TEST(ParseDecimal, AgreesWithStrtofOnUpToNineteenDigits) {
  std::mt19937_64 random(4);
  int left = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    std::string text = std::to_string(random() % static_cast<std::uint64_t>(std::pow(10, 1 + random() % 19)));
    text.insert(random() % (text.size() + 1), ".");
    text.insert(0, random() % 2 == 0 ? "" : "-");
    const float value = short_decimal(text);
    left += std::isnan(value) ? 1 : 0;
    ASSERT_TRUE(std::isnan(value) || value == std::strtof(text.c_str(), nullptr)) << text;
  }
  EXPECT_LT(left, 20'000);  // whole numbers beyond 2^24 may lie in the middle exactly
}

TEST(ParseDecimal, AgreesWithStrtofNearTheMiddleOfTwoFloats) {
  std::mt19937 random(6);
  for (int i = 0; i < 200'000; ++i) {
    const float value = static_cast<float>(random() % (1 << 24)) / static_cast<float>(1 << (random() % 24));
    const double middle = (static_cast<double>(value) + static_cast<double>(std::nextafter(value, INFINITY))) / 2;
    std::string text = printed("%.20f", middle).substr(0, 20);  // 19 digits
    for (int step = -3; step <= 3; ++step) {
      text.back() = static_cast<char>('0' + (text.back() - '0' + 10 + step) % 10);
      const float parsed = short_decimal(text);
      ASSERT_TRUE(std::isnan(parsed) || parsed == std::strtof(text.c_str(), nullptr)) << text;
    }
  }
}

TEST(ParseDecimal, KeepsTheSignOfZero) { EXPECT_TRUE(std::signbit(short_decimal("-0.0"))); }

TEST(ParseDecimal, LeavesTheRestToParseFloat) {
  for (const char* text : {"", ".", "-", "+1", "1e5", "12345678901234567890", "1.0000000596046447754", "abc", " 1",
                           "1 ", "--1", "nan", "1.2.3"}) {
    EXPECT_TRUE(std::isnan(short_decimal(text))) << text;
  }
}

TEST(SixDecimals, ArePrintfs) {
  std::mt19937 random(5);
  const auto six_decimals = [](float value) {
    char buffer[16];
    return std::string(buffer, write_six_decimals(value, buffer));
  };
  for (int i = 0; i < 1'000'000; ++i) {
    const float value = static_cast<float>(random()) / 4294967296.0F;
    ASSERT_EQ(six_decimals(value), printed("%.6f", static_cast<double>(value)));
  }
  for (const float value : {0.0F, 1.0F, 0.5F, 0.0000005F, 0.0000015F, 0.0000025F, 0.9999995F, 0.99999994F, 1e-30F}) {
    EXPECT_EQ(six_decimals(value), printed("%.6f", static_cast<double>(value)));
  }
  for (int eighth = 1; eighth < 1 << 20; eighth += 2) {  // halfway between two millionths, among others
    const float value = std::ldexp(static_cast<float>(eighth), -20);
    ASSERT_EQ(six_decimals(value), printed("%.6f", static_cast<double>(value)));
  }
}

TEST(ShortestText, ComesBackTheSame) {
  std::mt19937 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(parse_float(shortest_text(value)).value()),
                std::bit_cast<std::uint32_t>(value));
    }
  }
}

TEST(ShortestText, IsShort) {
  EXPECT_EQ(shortest_text(5.1F), "5.1");
  EXPECT_EQ(shortest_text(0.1F), "0.1");
  EXPECT_EQ(shortest_text(-3.0F), "-3");
}

TEST(FixedText, HasThatManyDecimals) {
  EXPECT_EQ(fixed_text(0.98712, 6), "0.987120");
  EXPECT_EQ(fixed_text(1, 1), "1.0");
  EXPECT_EQ(fixed_text(-3.046, 2), "-3.05");
  EXPECT_EQ(fixed_text(1e-9, 6), "0.000000");
}

TEST(FixedText, HoldsTheLargestDouble) { EXPECT_EQ(fixed_text(std::numeric_limits<double>::max(), 6).size(), 316U); }

}  // namespace
}  // namespace iris
