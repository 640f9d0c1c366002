#include "rows/float_text.h"

#include <array>
#include <charconv>
#include <cstdlib>

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

}  // namespace

std::optional<float> parse_float(std::string_view text) {
  float value = 0;
  const char* const end = text.data() + text.size();
  const char* const after = parse_decimal(text.data(), end, value);
  return after != nullptr && after == end ? value : parse<float>(text, std::strtof);
}

std::optional<double> parse_double(std::string_view text) { return parse<double>(text, std::strtod); }

std::string fixed_text(double value, int decimals) {
  std::array<char, 400> buffer;  // the largest double has 309 digits before its point
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  return {buffer.data(), result.ptr};
}

}  // namespace iris
