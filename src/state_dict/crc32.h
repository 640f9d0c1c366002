// The CRC-32 of zip files (the polynomial of ISO 3309, reflected).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace iris {

class Crc32 {
 public:
  void add(std::span<const std::byte> bytes);
  // Of all that was added; 0 for nothing.
  std::uint32_t value() const { return ~remainder_; }

 private:
  std::uint32_t remainder_ = 0xFFFFFFFF;
};

std::uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace iris
