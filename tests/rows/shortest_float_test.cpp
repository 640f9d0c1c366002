#include "rows/shortest_float.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace iris {
namespace {

constexpr std::size_t kRoom = 15;  // what write_shortest may overwrite

::testing::AssertionResult is_that_of_to_chars(float value) {
  std::array<char, kRoom + 1> ours{}, theirs{};
  const std::string text(ours.data(), write_shortest(value, ours.data()));
  const std::string expected(theirs.data(), std::to_chars(theirs.data(), theirs.data() + kRoom, value).ptr);
  if (text == expected && ours[kRoom] == '\0') {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << text << ", to_chars " << expected;
}

TEST(WriteShortest, AgreesWithToCharsOnRandomBitPatterns) {
  std::mt19937 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    ASSERT_TRUE(is_that_of_to_chars(std::bit_cast<float>(static_cast<std::uint32_t>(random()))));
  }
}

TEST(WriteShortest, AgreesWithToCharsOnProbabilitiesAndLogits) {
  std::mt19937 random(2);
  for (int i = 0; i < 1'000'000; ++i) {
    const float part = static_cast<float>(random()) / 4294967296.0F;
    ASSERT_TRUE(is_that_of_to_chars(part));
    ASSERT_TRUE(is_that_of_to_chars(part * 40 - 20));
    ASSERT_TRUE(is_that_of_to_chars(std::exp(-50 * part)));
  }
}

TEST(WriteShortest, AgreesWithToCharsBesidePowersOfTwo) {
  for (int exponent = 0; exponent < 255; ++exponent) {
    for (std::uint32_t step = 0; step < 2000; ++step) {
      const std::uint32_t power = static_cast<std::uint32_t>(exponent) << 23;
      ASSERT_TRUE(is_that_of_to_chars(std::bit_cast<float>(power + step)));
      ASSERT_TRUE(is_that_of_to_chars(-std::bit_cast<float>(power + (1U << 23) - 1 - step)));
    }
  }
}

TEST(WriteShortest, AgreesWithToCharsOnShortDecimals) {
  for (int number = 0; number < 100'000; ++number) {
    for (int power = -45; power <= 38; power += number < 1000 ? 1 : 7) {
      ASSERT_TRUE(is_that_of_to_chars(static_cast<float>(number * std::pow(10.0, power))));
    }
  }
}

TEST(WriteShortest, TakesTheEvenOneOfTwoAsNear) {
  for (int part = 1; part < 1 << 16; part += 2) {
    for (int power = 1; power < 40; ++power) {
      ASSERT_TRUE(is_that_of_to_chars(std::ldexp(static_cast<float>(part), -power)));
    }
  }
}

TEST(WriteShortest, AgreesWithToCharsOnWhatIsNotFinite) {
  for (const float value : {INFINITY, -INFINITY, NAN, -0.0F}) {
    EXPECT_TRUE(is_that_of_to_chars(value));
  }
}

}  // namespace
}  // namespace iris
