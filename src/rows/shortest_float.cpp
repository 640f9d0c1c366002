// The algorithm is the one of Raffaello Giulietti, "The Schubfach way to render doubles" (2020), for float32 below
// 2^24: there the middle of two neighbours is never a short decimal, so that one product decides.
#include "rows/shortest_float.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace iris {
namespace {

constexpr int kFraction = 23;  // bits of a float32 after its first one
constexpr std::uint32_t kFractionMask = (1U << kFraction) - 1;
constexpr int kMinExponent = -149;  // of the lowest bit
constexpr int kMaxPower = 45;       // 2^-149 · 10^45 is in [1, 10)

// floor(log10(2^e)) for e from -149 to 0, and floor(log2(10^n)) for n from 0 to 45.
constexpr int log10_of_power_of_2(int e) { return (e * 315'653) >> 20; }
constexpr int log2_of_power_of_10(int n) { return (n * 1'741'647) >> 19; }

// 10^n = kPowers[n] · 2^(log2_of_power_of_10(n) - 63), rounded down: the first 64 bits of 5^n.
constexpr auto kPowers = [] {
  std::array<std::uint64_t, kMaxPower + 1> powers{};
  unsigned __int128 power = 1;  // 5^45 has 105 bits
  for (std::uint64_t& top : powers) {
    unsigned __int128 shifted = power;
    while (shifted >> 127 == 0) {
      shifted <<= 1;
    }
    top = static_cast<std::uint64_t>(shifted >> 64);
    power *= 5;
  }
  return powers;
}();

struct Decimal {
  std::uint32_t digits;
  int exponent;
};

// The shortest digits · 10^exponent that are nearer to a float from 0 to 2^24 than to its neighbours. Zeros may be at
// the end.
Decimal shortest_of(std::uint32_t bits) {
  const auto biased = static_cast<int>(bits >> kFraction);
  const std::uint32_t significand = (bits & kFractionMask) | (biased == 0 ? 0 : 1U << kFraction);
  const int binary = kMinExponent + (biased == 0 ? 0 : biased - 1);
  // The unit is a power of ten, such that the gap between two floats is 1 to 10 units.
  const int exponent = log10_of_power_of_2(binary);
  const std::uint64_t power = kPowers[static_cast<std::size_t>(-exponent)];
  const int shift = binary + log2_of_power_of_10(-exponent) + 1;
  constexpr int kUnit = 36;  // bits after the point; up to 28 are before it
  const std::uint64_t scaled = static_cast<std::uint64_t>(significand) << (kUnit + shift);
  const auto exact = static_cast<std::uint64_t>(static_cast<unsigned __int128>(power) * scaled >> 64);
  const std::uint64_t half_gap = power >> (65 - kUnit - shift);
  // At most one multiple of ten lies within half a gap. If none does, the nearest unit is taken, of two the even one.
  const std::uint64_t down = exact >> kUnit;
  const std::uint64_t unit = (exact + (std::uint64_t{1} << (kUnit - 1)) - 1 + (down & 1)) >> kUnit;
  const std::uint64_t ten = (down + 5) / 10 * 10;
  const std::uint64_t tens = ten << kUnit;
  const std::uint64_t distance = tens > exact ? tens - exact : exact - tens;
  const std::uint64_t takes_ten = 0 - static_cast<std::uint64_t>(distance < half_gap);  // no processor predicts it
  return {static_cast<std::uint32_t>((ten & takes_ten) | (unit & ~takes_ten)), exponent};
}

// The digits of a number after its `first` · 10^8, one a byte, the first of them in the lowest.
std::uint64_t eight_digits(std::uint32_t number, std::uint32_t first) {
  const std::uint32_t upper = number / 10'000;
  const std::uint64_t fours = (upper - first * 10'000) | static_cast<std::uint64_t>(number - upper * 10'000) << 32;
  const std::uint64_t hundreds = (fours * 10'486 >> 20) & 0x7F'0000'007F;
  const std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const std::uint64_t tens = (twos * 103 >> 10) & 0x000F'000F'000F'000F;
  return tens | (twos - 10 * tens) << 8;
}

}  // namespace

char* write_shortest(float value, char* to) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  // Below a power of two the gap is half as wide, so that some powers need a digit more.
  const bool is_narrow = (magnitude & kFractionMask) == 0 && magnitude < std::bit_cast<std::uint32_t>(1.0F);
  if (std::endian::native != std::endian::little || is_narrow || magnitude >= std::bit_cast<std::uint32_t>(0x1p24F)) {
    return std::to_chars(to, to + 15, value).ptr;
  }
  *to = '-';
  to += bits >> 31;
  auto [digits, exponent] = shortest_of(magnitude);
  for (exponent += 8; digits < 100'000'000; --exponent) {  // to nine digits: one, the point, eight more
    digits *= 10;
  }
  const std::uint32_t first = digits / 100'000'000;
  const std::uint64_t rest = eight_digits(digits, first);
  const std::uint64_t text = rest | 0x3030303030303030;
  const int after = 8 - (std::countl_zero(rest) >> 3);  // without the zeros at the end
  const int longer = after != 0 ? 1 : 0;                // with an exponent, by its point

  if (exponent < 0 && -exponent <= 3 + longer) {  // 0.00012, but 1e-04
    constexpr std::array kZeros = {'0', '.', '0', '0', '0'};
    std::memcpy(to, kZeros.data(), kZeros.size());
    to += 1 - exponent;
    *to++ = static_cast<char>('0' + first);
    std::memcpy(to, &text, 8);
    return to + after;
  }
  *to++ = static_cast<char>('0' + first);
  if (exponent >= 0 && exponent - after <= 4 + longer) {  // 1200000, but 1e+07
    const std::uint64_t whole = (std::uint64_t{1} << 8 * exponent) - 1;
    const std::uint64_t pointed = (text & whole) | std::uint64_t{'.'} << 8 * exponent | (text & ~whole) << 8;
    std::memcpy(to, &pointed, 8);
    to[8] = static_cast<char>(text >> 56);
    return to + (after > exponent ? after + 1 : exponent);
  }
  *to = '.';
  std::memcpy(to + 1, &text, 8);
  to += after + longer;
  const int size = exponent < 0 ? -exponent : exponent;
  const std::array<char, 4> power = {'e', exponent < 0 ? '-' : '+', static_cast<char>('0' + size / 10),
                                     static_cast<char>('0' + size % 10)};
  std::memcpy(to, power.data(), 4);
  return to + 4;
}

}  // namespace iris
