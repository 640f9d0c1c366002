// float32 to text and back, exactly.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rows/shortest_float.h"  // the shortest text

namespace iris {

// The one reading of a cell. The float32 nearest to a decimal number ("5.1", "-1e-3", "+.5"), rounded once, as strtof
// does in the C locale; blanks around the number are allowed. nullopt for any other text, hexadecimal too. A number
// beyond float32, "inf" and "nan" give a value that is not finite.
std::optional<float> parse_float(std::string_view text);

// The same for float64, as strtod and Python's float().
std::optional<double> parse_double(std::string_view text);

// Where eight digits stand at `text`, their value; else false.
inline bool take_eight_digits(const char* text, std::uint64_t& value) {
  if constexpr (std::endian::native != std::endian::little) {
    return false;
  }
  std::uint64_t digits = 0;
  std::memcpy(&digits, text, sizeof digits);
  digits ^= 0x3030303030303030;
  if (((digits | (digits + 0x0606060606060606)) & 0xF0F0F0F0F0F0F0F0) != 0) {
    return false;
  }
  digits = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF;
  digits = (digits * 100 + (digits >> 16)) & 0x0000FFFF0000FFFF;
  value = (digits * 10'000 + (digits >> 32)) & 0xFFFFFFFF;
  return true;
}

// parse_float's fast path: a decimal number at the start of [text, end), such as "5.1", "-2.50" or ".5". Returns the
// end of the number, or nullptr where one division does not give parse_float's value: not a number, blanks, more than
// 19 digits, or too near the middle of two floats for a double. An exponent is not read.
inline const char* parse_decimal(const char* text, const char* end, float& value) {
  constexpr std::size_t kMaxDigits = 19;  // 10^19 < 2^64
  static constexpr std::array<double, kMaxDigits + 1> kPowersOfTen = {
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  const bool is_negative = text != end && *text == '-';
  text += is_negative ? 1 : 0;
  std::uint64_t mantissa = 0;
  const auto take_digits = [&] {
    const char* const first = text;
    std::uint64_t digits = 0;
    while (end - text >= 8 && take_eight_digits(text, digits)) {
      mantissa = mantissa * 100'000'000 + digits;
      text += 8;
    }
    while (text != end && static_cast<unsigned char>(*text - '0') < 10) {
      mantissa = mantissa * 10 + static_cast<std::uint64_t>(*text++ - '0');
    }
    return static_cast<std::size_t>(text - first);
  };
  const std::size_t whole = take_digits();
  std::size_t decimals = 0;
  if (text != end && *text == '.') {
    ++text;
    decimals = take_digits();
  }
  if (whole + decimals == 0 || whole + decimals > kMaxDigits) {
    return nullptr;
  }
  // Off by at most 1.5 units in the last place: the mantissa and the quotient are rounded, the power is exact.
  const double quotient = static_cast<double>(mantissa) / kPowersOfTen[decimals];
  constexpr std::uint64_t kDropped = (std::uint64_t{1} << 29) - 1;  // the bits of a double that a float lacks
  constexpr std::uint64_t kMiddle = std::uint64_t{1} << 28;
  constexpr std::uint64_t kMargin = 2;
  if ((std::bit_cast<std::uint64_t>(quotient) & kDropped) - (kMiddle - kMargin) <= 2 * kMargin) {
    return nullptr;
  }
  const auto magnitude = static_cast<float>(quotient);
  value = is_negative ? -magnitude : magnitude;
  return text;
}

// The same for a number that JSON allows: no leading zero, no bare point.
inline const char* parse_json_decimal(const char* text, const char* end, float& value) {
  const auto is_digit = [end](const char* at) { return at < end && static_cast<unsigned char>(*at - '0') < 10; };
  const char* const digits = text + (text != end && *text == '-' ? 1 : 0);
  if (!is_digit(digits) || (*digits == '0' && is_digit(digits + 1))) {
    return nullptr;
  }
  const char* const after = parse_decimal(text, end, value);
  return after == nullptr || after[-1] == '.' ? nullptr : after;
}

// A number from 0 to 1, rounded as printf rounds: "0.987120". Returns the end, 8 characters on; the character there is
// overwritten too.
inline char* write_six_decimals(float value, char* to) {
  static constexpr auto kThousandths = [] {  // "0.000", "0.001", … "0.999", "1.000", each in 8 bytes
    std::array<char, 8008> texts{};
    for (std::size_t i = 0; i <= 1000; ++i) {
      char* const text = &texts[8 * i];
      text[0] = static_cast<char>('0' + i / 1000);
      text[1] = '.';
      text[2] = static_cast<char>('0' + i / 100 % 10);
      text[3] = static_cast<char>('0' + i / 10 % 10);
      text[4] = static_cast<char>('0' + i % 10);
    }
    return texts;
  }();
  // 24 bits times 20 bits are exact in a double's 53, so only the sum rounds, and to an integer: beside 2^52 a double
  // has no bits for fractions.
  const auto millionths =
      static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(static_cast<double>(value) * 1e6 + 0x1p52));
  std::memcpy(to, &kThousandths[8 * std::size_t{millionths / 1000}], 8);
  std::memcpy(to + 5, &kThousandths[8 * std::size_t{millionths % 1000} + 2], 4);
  return to + 8;
}

// fixed_text(98.712f, 1) is "98.7".
std::string fixed_text(double value, int decimals);

}  // namespace iris
