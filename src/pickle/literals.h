// The texts and integers of pickles, in Python's several spellings.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iris::pickle {

// The whole text as a number; nullopt where it is not one, or out of range.
template <typename Number>
std::optional<Number> number_of(std::string_view text, auto... base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base...);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// Appends the character; a surrogate too, as Python pickles it. False, and nothing appended, past U+10FFFF.
bool append_utf8(std::string& text, std::uint32_t character);

// What text.encode("latin1") gives; nullopt past U+00FF. `utf8` must be UTF-8.
std::optional<std::string> latin1_bytes(std::string_view utf8);

// What Python's repr of a byte string stands for ('a\n\x00'); nullopt where it is badly quoted or escaped.
std::optional<std::string> unquoted_repr(std::string_view repr);

// Python's raw-unicode-escape (latin1 with \uXXXX and \UXXXXXXXX) as UTF-8; nullopt where it is not text.
std::optional<std::string> unescaped_unicode(std::string_view escaped);

// Little-endian two's complement as an integer; nullopt where 64 bits don't hold it. No bytes are 0.
std::optional<std::int64_t> small_integer(std::string_view little_endian);

// A decimal integer of at most 4,300 digits (Python's own limit) as little-endian two's complement.
std::optional<std::string> decimal_to_little_endian(std::string_view decimal);

// The other way; nullopt for more than 255 bytes, which torch.load would not read either.
std::optional<std::string> little_endian_to_decimal(std::string_view little_endian);

}  // namespace iris::pickle
