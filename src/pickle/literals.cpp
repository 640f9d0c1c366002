#include "pickle/literals.h"

#include <algorithm>
#include <charconv>

namespace iris::pickle {
namespace {

constexpr std::size_t kMaxDecimalDigits = 4'300;
constexpr std::size_t kDigitsAtOnce = 16;  // 256 * 10^16 fits into 64 bits

// Takes exactly `digits` hexadecimal digits from the front of `text`.
std::optional<std::uint32_t> take_hex(std::string_view& text, std::size_t digits) {
  std::uint32_t value = 0;
  if (text.size() < digits) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
  if (error != std::errc() || end != text.data() + digits) {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  return value;
}

}  // namespace

bool append_utf8(std::string& text, std::uint32_t character) {
  if (character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF)) {
    return false;
  }
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += static_cast<char>(0xC0 | character >> 6);
    text += static_cast<char>(0x80 | (character & 0x3F));
  } else {
    if (character < 0x10000) {
      text += static_cast<char>(0xE0 | character >> 12);
    } else {
      text += static_cast<char>(0xF0 | character >> 18);
      text += static_cast<char>(0x80 | (character >> 12 & 0x3F));
    }
    text += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (character & 0x3F));
  }
  return true;
}

std::optional<std::string> latin1_bytes(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      bytes += utf8[i];
    } else if (byte <= 0xC3 && i + 1 < utf8.size()) {
      ++i;
      bytes += static_cast<char>((byte & 3) << 6 | (static_cast<unsigned char>(utf8[i]) & 0x3F));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

std::optional<std::string> unquoted_repr(std::string_view repr) {
  if (repr.size() < 2 || (repr.front() != '\'' && repr.front() != '"') || repr.back() != repr.front()) {
    return std::nullopt;
  }
  const char quote = repr.front();
  repr = repr.substr(1, repr.size() - 2);
  std::string bytes;
  while (!repr.empty()) {
    const char character = repr.front();
    repr.remove_prefix(1);
    if (character == quote) {
      return std::nullopt;
    }
    if (character != '\\') {
      bytes += character;
      continue;
    }
    if (repr.empty()) {
      return std::nullopt;
    }
    const char escape = repr.front();
    repr.remove_prefix(1);
    constexpr std::string_view kEscapes = "\\\\''\"\"n\nr\rt\ta\ab\bf\fv\v";
    if (escape == 'x') {
      const std::optional<std::uint32_t> value = take_hex(repr, 2);
      if (!value) {
        return std::nullopt;
      }
      bytes += static_cast<char>(*value);
      continue;
    }
    std::size_t found = 0;
    while (found < kEscapes.size() && kEscapes[found] != escape) {
      found += 2;
    }
    if (found >= kEscapes.size()) {
      return std::nullopt;
    }
    bytes += kEscapes[found + 1];
  }
  return bytes;
}

std::optional<std::string> unescaped_unicode(std::string_view escaped) {
  std::string utf8;
  while (!escaped.empty()) {
    std::uint32_t character = static_cast<unsigned char>(escaped.front());
    if (escaped.starts_with("\\u") || escaped.starts_with("\\U")) {
      const std::size_t digits = escaped[1] == 'u' ? 4 : 8;
      escaped.remove_prefix(2);
      const std::optional<std::uint32_t> value = take_hex(escaped, digits);
      if (!value) {
        return std::nullopt;
      }
      character = *value;
    } else {
      escaped.remove_prefix(1);
    }
    if (!append_utf8(utf8, character)) {
      return std::nullopt;
    }
  }
  return utf8;
}

std::optional<std::int64_t> small_integer(std::string_view little_endian) {
  const bool negative = !little_endian.empty() && (static_cast<unsigned char>(little_endian.back()) & 0x80) != 0;
  const char sign_byte = negative ? '\xFF' : '\0';
  std::size_t size = little_endian.size();
  while (size > 8) {
    --size;
    const bool sign_agrees = ((static_cast<unsigned char>(little_endian[size - 1]) & 0x80) != 0) == negative;
    if (little_endian[size] != sign_byte || (size == 8 && !sign_agrees)) {
      return std::nullopt;
    }
  }
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(little_endian[i]);
  }
  return static_cast<std::int64_t>(value);
}

std::optional<std::string> decimal_to_little_endian(std::string_view decimal) {
  const bool negative = decimal.starts_with('-');
  if (negative || decimal.starts_with('+')) {
    decimal.remove_prefix(1);
  }
  if (decimal.empty() || decimal.size() > kMaxDecimalDigits) {
    return std::nullopt;
  }
  std::string magnitude;
  while (!decimal.empty()) {
    std::uint64_t carry = 0;
    std::uint64_t power = 1;
    for (const char digit : decimal.substr(0, kDigitsAtOnce)) {
      if (digit < '0' || digit > '9') {
        return std::nullopt;
      }
      carry = carry * 10 + static_cast<std::uint64_t>(digit - '0');
      power *= 10;
    }
    decimal.remove_prefix(std::min(decimal.size(), kDigitsAtOnce));
    for (char& byte : magnitude) {
      carry += static_cast<unsigned char>(byte) * power;
      byte = static_cast<char>(carry & 0xFF);
      carry >>= 8;
    }
    for (; carry != 0; carry >>= 8) {
      magnitude += static_cast<char>(carry & 0xFF);
    }
  }
  magnitude += '\0';  // room for the sign
  if (negative) {
    unsigned carry = 1;
    for (char& byte : magnitude) {
      carry += static_cast<unsigned char>(~byte) & 0xFFU;
      byte = static_cast<char>(carry & 0xFF);
      carry >>= 8;
    }
  }
  return magnitude;
}

}  // namespace iris::pickle
