// float32 to text and back, exactly.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace iris {

// What strtof gives in the C locale for a decimal number ("5.1", "-1e-3", "+.5"), blanks around it allowed; nullopt for
// anything else (hexadecimal too). Too large a number, "inf" and "nan" give what is not finite.
std::optional<float> parse_float(std::string_view text);

// A decimal number at the start of `text`, which must end with something else ('\n'): "5.1", "-2.50", ".5". Returns the
// place behind it, or nullptr for anything that takes more than one division: no number, an exponent, blanks, more than
// 19 digits, or a number so near the middle of two floats that a double cannot tell which it is. The value is exactly
// parse_float's.
inline const char* parse_decimal(const char* text, float& value) {
  constexpr std::size_t kMaxDigits = 19;  // 10^19 < 2^64
  static constexpr std::array<double, kMaxDigits + 1> kPowersOfTen = {
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  const bool is_negative = *text == '-';
  text += is_negative ? 1 : 0;
  std::uint64_t mantissa = 0;
  const auto take_digits = [&] {
    const char* const first = text;
    while (static_cast<unsigned char>(*text - '0') < 10) {
      mantissa = mantissa * 10 + static_cast<std::uint64_t>(*text++ - '0');
    }
    return static_cast<std::size_t>(text - first);
  };
  const std::size_t whole = take_digits();
  std::size_t decimals = 0;
  if (*text == '.') {
    ++text;
    decimals = take_digits();
  }
  if (whole + decimals == 0 || whole + decimals > kMaxDigits) {
    return nullptr;
  }
  // Off by at most 1.5 units in the last place, as the mantissa and the quotient are rounded; the power is exact.
  const double quotient = static_cast<double>(mantissa) / kPowersOfTen[decimals];
  constexpr std::uint64_t kDropped = (std::uint64_t{1} << 29) - 1;  // the bits of a double that a float has not
  constexpr std::uint64_t kMiddle = std::uint64_t{1} << 28;
  constexpr std::uint64_t kMargin = 2;
  if ((std::bit_cast<std::uint64_t>(quotient) & kDropped) - (kMiddle - kMargin) <= 2 * kMargin) {
    return nullptr;
  }
  const auto magnitude = static_cast<float>(quotient);
  value = is_negative ? -magnitude : magnitude;
  return text;
}

// The same, of what is a number in JSON too: no leading zero, no bare point.
inline const char* parse_json_decimal(const char* text, float& value) {
  const auto is_digit = [](char character) { return static_cast<unsigned char>(character - '0') < 10; };
  const char* const digits = text + (*text == '-' ? 1 : 0);
  if (!is_digit(digits[0]) || (digits[0] == '0' && is_digit(digits[1]))) {
    return nullptr;
  }
  const char* const end = parse_decimal(text, value);
  return end == nullptr || end[-1] == '.' ? nullptr : end;
}

// The fewest digits that come back as the same float: "5.1". Returns the place behind them, at most 15 characters on.
char* write_shortest(float value, char* to);

// Of a number from 0 to 1, rounded as printf rounds: "0.987120". Returns the place behind its 8 characters.
inline char* write_six_decimals(float value, char* to) {
  static constexpr auto kPairs = [] {  // "00", "01", … "99"
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
      pairs[2 * i] = static_cast<char>('0' + i / 10);
      pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
  }();
  // 24 bits times 20 bits are exact in a double's 53, so that only the sum rounds, to an integer: there is no room for
  // more beside 2^52.
  const auto millionths =
      static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(static_cast<double>(value) * 1e6 + 0x1p52));
  const std::size_t decimals = millionths % 1'000'000;
  to[0] = static_cast<char>('0' + millionths / 1'000'000);
  to[1] = '.';
  std::memcpy(to + 2, &kPairs[2 * (decimals / 10'000)], 2);
  std::memcpy(to + 4, &kPairs[2 * (decimals / 100 % 100)], 2);
  std::memcpy(to + 6, &kPairs[2 * (decimals % 100)], 2);
  return to + 8;
}

// With that many decimals: fixed_text(98.712f, 1) is "98.7".
std::string fixed_text(double value, int decimals);

}  // namespace iris
