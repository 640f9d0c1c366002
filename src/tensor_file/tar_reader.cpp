#include "tensor_file/tar_reader.h"

#include <algorithm>
#include <functional>

#include "pickle/literals.h"

namespace iris {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMagicOffset = 257;
constexpr std::size_t kMostEntries = 100'000;

std::string_view field(std::string_view header, std::size_t offset, std::size_t size) {
  const std::string_view bytes = header.substr(offset, size);
  return bytes.substr(0, bytes.find('\0'));
}

// The sum of the header's bytes, its own field taken as blanks.
std::uint64_t checksum_of(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    sum += static_cast<unsigned char>(i >= 148 && i < 156 ? ' ' : header[i]);
  }
  return sum;
}

std::optional<std::uint64_t> octal(std::string_view text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  return pickle::number_of<std::uint64_t>(text.substr(0, text.find(' ')), 8);
}

}  // namespace

bool TarReader::is_tar(std::span<const std::byte> bytes) {
  return bytes.size() > kMagicOffset + 5 && text_of(bytes.subspan(kMagicOffset, 5)) == "ustar";
}

std::vector<std::string> TarReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, data] : entries_) {
    names.push_back(name);
  }
  return names;
}

TarReader::TarReader(std::span<const std::byte> bytes) {
  ByteCursor cursor(bytes);
  while (cursor.remaining() >= kBlock) {
    const std::size_t start = cursor.offset();
    const std::string_view header = cursor.take_text(kBlock);
    if (header.find_first_not_of('\0') == std::string_view::npos) {
      return;  // the end
    }
    const std::optional<std::uint64_t> size = octal(field(header, 124, 12));
    require_at(start, size && octal(field(header, 148, 8)) == checksum_of(header), "tar: a header is damaged");
    const ByteCursor data = cursor.take_part(*size);
    cursor.take_bytes(std::min<std::uint64_t>(cursor.remaining(), (kBlock - *size % kBlock) % kBlock));
    std::string_view name = field(header, 0, 100);
    if (name.starts_with("./")) {
      name.remove_prefix(2);
    }
    const bool is_file = header[156] == '0' || header[156] == '\0';
    require_at(start, entries_.size() < kMostEntries, "tar: more than 100000 entries");
    if (is_file && !entries_.emplace(name, data).second) {
      fail_at(start, "tar: two entries have one name");
    }
  }
  cursor.fail("tar: the archive has no end; it is truncated");
}

}  // namespace iris
