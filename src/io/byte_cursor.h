// The one reader of untrusted bytes: every access is checked against the end, so no caller compares lengths.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "error.h"
#include "io/bytes.h"

namespace iris {

// The offset counts from the start of the file.
[[noreturn]] inline void fail_at(std::size_t offset, const std::string& fact) {
  throw FormatError("offset " + std::to_string(offset) + ": " + fact);
}

inline void require_at(std::size_t offset, bool holds, const char* fact) {
  if (!holds) {
    fail_at(offset, fact);
  }
}

inline void require(bool holds, const char* fact) {
  if (!holds) {
    throw FormatError(fact);
  }
}

// Does not own the bytes; they must outlive the cursor and every view that it returned.
// Every read throws FormatError("offset N: …") when it would pass the end, and then the cursor has not moved.
class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::byte> bytes, std::size_t base = 0) : bytes_(bytes), base_(base) {}

  // Where the next read starts, counted from the start of the file.
  std::size_t offset() const { return base_ + position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  std::span<const std::byte> take_bytes(std::uint64_t count) {
    if (count > remaining()) {
      fail(std::to_string(count) + " bytes are needed, " + std::to_string(remaining()) + " are left");
    }
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  // A cursor on the next bytes alone.
  ByteCursor take_part(std::uint64_t count) {
    const std::size_t start = offset();
    return ByteCursor(take_bytes(count), start);
  }

  std::string_view take_text(std::uint64_t count) { return text_of(take_bytes(count)); }

  // Up to the next newline, which is taken too and not returned.
  std::string_view take_line() {
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + position_;
    const void* end = remaining() == 0 ? nullptr : std::memchr(begin, '\n', remaining());
    if (end == nullptr) {
      fail("a line has no end");
    }
    const std::string_view line(begin, static_cast<std::size_t>(static_cast<const char*>(end) - begin));
    position_ += line.size() + 1;
    return line;
  }

  // A little-endian integer.
  template <typename Integer>
  Integer take() {
    static_assert(std::is_integral_v<Integer>);
    const auto taken = take_bytes(sizeof(Integer));
    std::make_unsigned_t<Integer> value = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      value |= static_cast<std::make_unsigned_t<Integer>>(std::to_integer<std::make_unsigned_t<Integer>>(taken[i])
                                                          << (8 * i));
    }
    return static_cast<Integer>(value);
  }

  double take_big_endian_double() {
    std::uint64_t bits = 0;
    for (const std::byte byte : take_bytes(sizeof bits)) {
      bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return std::bit_cast<double>(bits);
  }

  [[noreturn]] void fail(const std::string& fact) const { fail_at(offset(), fact); }
  void require(bool holds, const char* fact) const { require_at(offset(), holds, fact); }

 private:
  std::span<const std::byte> bytes_;
  std::size_t base_;
  std::size_t position_ = 0;
};

}  // namespace iris
