// A tar archive's entries (POSIX pax, "ustar"): blocks of 512 bytes, a header before each entry's data.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_cursor.h"

namespace iris {

class TarReader {
 public:
  // The bytes must outlive the reader. Throws FormatError where a header is damaged or an entry reaches past the end.
  explicit TarReader(std::span<const std::byte> bytes);

  // Whether the bytes begin as an archive does.
  static bool is_tar(std::span<const std::byte> bytes);

  std::vector<std::string> names() const;
  bool has(std::string_view name) const { return entries_.contains(name); }
  // The entry must be there.
  ByteCursor entry(std::string_view name) const { return entries_.find(name)->second; }

 private:
  std::map<std::string, ByteCursor, std::less<>> entries_;
};

}  // namespace iris
