// The CRC-32 of zip files (the polynomial of ISO 3309, reflected).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace iris {

std::uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace iris
