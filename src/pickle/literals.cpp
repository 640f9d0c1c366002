#include "pickle/literals.h"

#include <algorithm>

#include <vector>

namespace iris::pickle {
namespace {

constexpr std::size_t kMaxDecimalDigits = 4'300;
constexpr std::size_t kDigitsAtOnce = 16;  // 256 * 10^16 fits into 64 bits

// Takes exactly `digits` hexadecimal digits from the front of `text`.
std::optional<std::uint32_t> take_hex(std::string_view& text, std::size_t digits) {
  const std::string_view hex = text.substr(0, digits);
  text.remove_prefix(hex.size());
  return hex.size() == digits ? number_of<std::uint32_t>(hex, 16) : std::nullopt;
}

}  // namespace

bool append_utf8(std::string& text, std::uint32_t character) {
  if (character > 0x10FFFF) {
    return false;
  }
  constexpr std::uint32_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  const unsigned more =
      (character >= 0x80 ? 1U : 0U) + (character >= 0x800 ? 1U : 0U) + (character >= 0x10000 ? 1U : 0U);
  text += static_cast<char>(kFirst[more] | character >> (6 * more));
  for (unsigned i = more; i-- > 0;) {
    text += static_cast<char>(0x80 | (character >> (6 * i) & 0x3F));
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
    constexpr std::string_view kEscapes = "\\'\"nrtabfv";
    constexpr std::string_view kMeanings = "\\'\"\n\r\t\a\b\f\v";
    const std::size_t found = kEscapes.find(escape);
    const std::optional<std::uint32_t> hex = escape == 'x' ? take_hex(repr, 2) : std::nullopt;
    if (found == std::string_view::npos && !hex) {
      return std::nullopt;
    }
    bytes += hex ? static_cast<char>(*hex) : kMeanings[found];
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
  std::uint64_t bits = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = std::min<std::size_t>(little_endian.size(), 8); i-- > 0;) {
    bits = bits << 8 | static_cast<unsigned char>(little_endian[i]);
  }
  const auto value = static_cast<std::int64_t>(bits);
  const bool is_small = little_endian.size() <= 8 ||
                        ((value < 0) == negative &&
                         little_endian.find_first_not_of(negative ? '\xFF' : '\0', 8) == std::string_view::npos);
  return is_small ? std::optional(value) : std::nullopt;
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

std::optional<std::string> little_endian_to_decimal(std::string_view little_endian) {
  constexpr std::size_t kMostBytes = 255;
  constexpr std::uint32_t kLimb = 1'000'000'000;
  constexpr int kLimbDigits = 9;
  if (little_endian.size() > kMostBytes) {
    return std::nullopt;
  }
  const bool is_negative = !little_endian.empty() && (little_endian.back() & 0x80) != 0;
  std::vector<std::uint32_t> limbs = {0};  // the lowest first
  const auto times_256_plus = [&](std::uint64_t carry) {
    for (std::uint32_t& limb : limbs) {
      carry += std::uint64_t{limb} * 256;
      limb = static_cast<std::uint32_t>(carry % kLimb);
      carry /= kLimb;
    }
    if (carry != 0) {
      limbs.push_back(static_cast<std::uint32_t>(carry));
    }
  };
  // A negative number is -(inverted + 1).
  for (std::size_t i = little_endian.size(); i-- > 0;) {
    const auto byte = static_cast<std::uint8_t>(little_endian[i]);
    times_256_plus(is_negative ? 255U - byte : byte);
  }
  for (std::size_t i = 0, carry = is_negative ? 1 : 0; carry != 0; ++i) {
    if (i == limbs.size()) {
      limbs.push_back(0);
    }
    carry = limbs[i] == kLimb - 1 ? 1 : 0;
    limbs[i] = carry != 0 ? 0 : limbs[i] + 1;
  }
  std::string decimal = (is_negative ? "-" : "") + std::to_string(limbs.back());
  for (std::size_t i = limbs.size() - 1; i-- > 0;) {
    const std::string digits = std::to_string(limbs[i]);
    decimal.append(kLimbDigits - digits.size(), '0') += digits;
  }
  return decimal;
}

}  // namespace iris::pickle
