#include "state_dict/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace iris {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB88320;
constexpr std::size_t kSlices = 16;

// kTables[k][b]: what byte b contributes when k more bytes follow it ("slicing-by-16").
constexpr auto kTables = [] {
  std::array<std::array<std::uint32_t, 256>, kSlices> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = remainder;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = before >> 8 ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}();

}  // namespace

void Crc32::add(std::span<const std::byte> bytes) {
  static_assert(std::endian::native == std::endian::little, "the slices below are taken from little-endian words");
  std::uint32_t remainder = remainder_;
  while (bytes.size() >= kSlices) {
    std::array<std::uint32_t, kSlices / 4> words;
    std::memcpy(words.data(), bytes.data(), kSlices);
    words[0] ^= remainder;
    remainder = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      remainder ^= kTables[kSlices - 1 - i][words[i / 4] >> (8 * (i % 4)) & 0xFF];
    }
    bytes = bytes.subspan(kSlices);
  }
  for (const std::byte byte : bytes) {
    remainder = remainder >> 8 ^ kTables[0][(remainder ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  }
  remainder_ = remainder;
}

std::uint32_t crc32(std::span<const std::byte> bytes) {
  Crc32 crc;
  crc.add(bytes);
  return crc.value();
}

}  // namespace iris
