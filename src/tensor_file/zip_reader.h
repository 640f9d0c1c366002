// The zip container of torch.save, read from its central directory (PKWARE APPNOTE 4.3; the writer is PyTorch's
// caffe2/serialize/inline_container.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

struct ZipEntry {
  std::string_view name;
  std::uint64_t header_offset = 0;  // of the local header
  std::span<const std::byte> data;  // as it lies in the file
  std::uint64_t uncompressed_size = 0;
  std::uint16_t method = 0;  // 0: stored
  std::uint32_t crc = 0;     // 0 with data: not computed
};

// Does not own the bytes, which must outlive it and every view it returns. Immutable after construction, so any number
// of threads may read.
class ZipReader {
 public:
  // Checks the whole structure: one archive from the first byte to the last, every entry inside it, none overlapping,
  // local headers agreeing with the central ones, no name twice. Throws FormatError.
  explicit ZipReader(std::span<const std::byte> file);

  // In the order of the central directory.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;

  // The entry's bytes, which must be stored, not compressed. Throws FormatError.
  static std::span<const std::byte> stored(const ZipEntry& entry);
  // The same, and its CRC checked.
  static std::span<const std::byte> checked(const ZipEntry& entry);
  // The entry's text, which may be deflated, and its CRC checked. Limits no size: see check_inflated_size. Throws
  // FormatError.
  static std::string unpacked(const ZipEntry& entry);

 private:
  std::vector<ZipEntry> entries_;
  // Sorted, not hashed: a file could be full of names with one hash.
  std::map<std::string_view, std::size_t> by_name_;
};

}  // namespace iris
