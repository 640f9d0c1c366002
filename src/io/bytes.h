// Bytes as text and text as bytes, as views; and integers as bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace iris {

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Appends what ByteCursor::take reads, each in the bytes of its type.
template <typename... Integers>
void put_little_endian(std::string& bytes, Integers... values) {
  const auto put = [&bytes](auto value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      bytes += static_cast<char>(static_cast<std::make_unsigned_t<decltype(value)>>(value) >> (8 * i) & 0xFF);
    }
  };
  (put(values), ...);
}

}  // namespace iris
