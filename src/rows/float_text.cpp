#include "rows/float_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <vector>

namespace iris {

namespace {

template <typename Float>
std::optional<Float> parse(std::string_view text, Float (*of_extreme)(const char*, char**)) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return std::nullopt;
  }
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  if (text.starts_with('+') && !text.starts_with("+-")) {
    text.remove_prefix(1);
  }
  Float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {  // from_chars leaves open whether too large or too small
    return of_extreme(std::string(text).c_str(), nullptr);
  }
  return value;
}

// The bytes "0.0" and `after`. XOR with the bytes of a number of tenths leaves its two digits, in the first and third
// byte.
constexpr std::uint32_t tenths_with(char after) {
  return 0x00302E30 | std::uint32_t{static_cast<unsigned char>(after)} << 24;
}

// 0 where `digits`, made by that XOR, are two digits and nothing else: a byte above 9 has its highest bit set, or gets
// it from the sum.
constexpr std::uint32_t not_tenths(std::uint32_t digits) { return (digits | (digits + 0x00760076)) & 0xFF80FF80; }

}  // namespace

std::optional<float> parse_float(std::string_view text) { return parse<float>(text, std::strtof); }

std::optional<double> parse_double(std::string_view text) { return parse<double>(text, std::strtod); }

bool parse_tenths(const char* text, std::size_t columns, std::span<std::uint8_t> tenths) {
  if constexpr (std::endian::native != std::endian::little) {
    return false;
  }
  constexpr std::size_t kRows = 16;  // at a time, so that the inner loop is worth vectorizing
  std::vector<std::uint32_t> expected(kRows * columns);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = tenths_with(i % columns + 1 == columns ? '\n' : ',');
  }
  std::uint32_t all = 0;
  for (std::size_t first = 0; first < tenths.size(); first += expected.size()) {
    const std::size_t count = std::min(expected.size(), tenths.size() - first);
    const char* const from = text + 4 * first;
    const std::uint32_t* const zero = expected.data();
    std::uint8_t* const to = tenths.data() + first;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t four = 0;
      std::memcpy(&four, from + 4 * i, 4);
      const std::uint32_t digits = four ^ zero[i];
      all |= not_tenths(digits);
      to[i] = static_cast<std::uint8_t>((digits & 0xF) * 10 + (digits >> 16 & 0xF));
    }
  }
  return all == 0;
}

void floats_of_tenths(std::span<const std::uint8_t> tenths, float* values) {
  for (std::size_t i = 0; i < tenths.size(); ++i) {
    values[i] = static_cast<float>(tenths[i]) / 10.0F;  // both are exact, so it rounds as it should
  }
}

char* write_shortest(float value, char* to) { return std::to_chars(to, to + 15, value).ptr; }

std::string fixed_text(double value, int decimals) {
  std::array<char, 400> buffer;  // the largest double has 309 digits before its point
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  return {buffer.data(), result.ptr};
}

}  // namespace iris
