// Numbers of the zip format (PKWARE APPNOTE 4.3) that reader and writer share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iris::zip {

inline constexpr std::uint32_t kLocalHeader = 0x04034b50;
inline constexpr std::uint32_t kCentralHeader = 0x02014b50;
inline constexpr std::uint32_t kEndRecord = 0x06054b50;
inline constexpr std::uint32_t kZip64EndRecord = 0x06064b50;
inline constexpr std::uint32_t kZip64Locator = 0x07064b50;
inline constexpr std::size_t kLocalHeaderSize = 30;
inline constexpr std::size_t kEndRecordSize = 22;
inline constexpr std::size_t kZip64LocatorSize = 20;
inline constexpr std::size_t kZip64EndRecordSize = 56;
inline constexpr std::uint16_t kZip64Extra = 1;
// In a 32-bit or 16-bit field: the value is in the zip64 part.
inline constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;
inline constexpr std::uint16_t kCountInZip64 = 0xFFFF;

}  // namespace iris::zip
