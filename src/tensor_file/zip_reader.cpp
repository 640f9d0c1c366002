#include "tensor_file/zip_reader.h"

#include <algorithm>

#include "error.h"
#include "io/byte_cursor.h"
#include "io/inflate.h"
#include "tensor_file/crc32.h"
#include "tensor_file/zip_format.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using namespace zip;

constexpr std::uint16_t kFlagEncrypted = 1;
constexpr std::uint16_t kFlagDescriptor = 1 << 3;
constexpr std::uint16_t kFlagsAllowed = kFlagDescriptor | 1 << 11 /* names are UTF-8 */ | 3 << 1 /* deflate level */;

struct Directory {
  std::uint64_t entry_count;
  std::uint64_t offset;
  std::uint64_t size;
};

// A cursor on file[offset, offset + size), which must lie inside.
ByteCursor cursor_at(std::span<const std::byte> file, std::uint64_t offset, std::uint64_t size, const char* what) {
  if (offset > file.size() || size > file.size() - offset) {
    throw FormatError(std::string("zip: ") + what + " lies outside the file; it is truncated or damaged");
  }
  return ByteCursor(file.subspan(offset, size), offset);
}

std::size_t find_end_record(std::span<const std::byte> file) {
  constexpr std::size_t kMaxComment = 0xFFFF;
  for (std::size_t comment = 0; comment <= kMaxComment && comment + kEndRecordSize <= file.size(); ++comment) {
    const std::size_t start = file.size() - kEndRecordSize - comment;
    ByteCursor cursor(file.subspan(start), start);
    if (cursor.take<std::uint32_t>() != kEndRecord) {
      continue;
    }
    cursor.take_bytes(kEndRecordSize - 6);
    require(cursor.take<std::uint16_t>() == comment, "zip: there are bytes after its end record");
    return start;
  }
  throw FormatError("zip: the end record is missing; the file is truncated");
}

// Whether it is one, told by a place in the last zip and by the place that this zip says.
void refuse_row_of_zips(std::span<const std::byte> file, std::uint64_t place, std::uint64_t said) {
  const auto is_header = [&](std::uint64_t at) {
    return file.size() - at >= sizeof kLocalHeader &&
           ByteCursor(file.subspan(at)).take<std::uint32_t>() == kLocalHeader;
  };
  if (said < place && is_header(0) && is_header(place - said)) {
    throw FormatError(
        "holds several zips in a row: is it a file of torch.distributed.checkpoint (.distcp)? Then name its folder");
  }
}

Directory read_end_records(std::span<const std::byte> file) {
  const std::size_t end = find_end_record(file);
  ByteCursor cursor(file.subspan(end), end);
  cursor.take<std::uint32_t>();
  const auto disk = cursor.take<std::uint16_t>();
  const auto directory_disk = cursor.take<std::uint16_t>();
  const auto entries_here = cursor.take<std::uint16_t>();
  Directory directory{cursor.take<std::uint16_t>(), 0, 0};
  directory.size = cursor.take<std::uint32_t>();
  directory.offset = cursor.take<std::uint32_t>();
  std::uint64_t directory_end = end;
  const bool has_locator = end >= kZip64LocatorSize &&
                           ByteCursor(file.subspan(end - kZip64LocatorSize)).take<std::uint32_t>() == kZip64Locator;
  if (has_locator) {
    ByteCursor locator(file.subspan(end - kZip64LocatorSize, kZip64LocatorSize), end - kZip64LocatorSize);
    locator.take_bytes(8);
    const auto record_offset = locator.take<std::uint64_t>();
    if (end >= kZip64LocatorSize + kZip64EndRecordSize) {
      refuse_row_of_zips(file, end - kZip64LocatorSize - kZip64EndRecordSize, record_offset);
    }
    ByteCursor record = cursor_at(file, record_offset, kZip64EndRecordSize, "the zip64 end record");
    require(record.take<std::uint32_t>() == kZip64EndRecord &&
                record.take<std::uint64_t>() == kZip64EndRecordSize - 12 &&
                record_offset + kZip64EndRecordSize == end - kZip64LocatorSize,
            "zip: the zip64 end record is damaged");
    record.take_bytes(4 + 8);  // versions, disks
    const auto wide_entries_here = record.take<std::uint64_t>();
    const Directory wide{record.take<std::uint64_t>(), 0, 0};
    const auto wide_size = record.take<std::uint64_t>();
    const auto wide_offset = record.take<std::uint64_t>();
    const auto agrees = [](std::uint64_t narrow, std::uint64_t limit, std::uint64_t value) {
      return narrow == limit || narrow == value;
    };
    require(wide_entries_here == wide.entry_count && agrees(directory.entry_count, kCountInZip64, wide.entry_count) &&
                agrees(directory.size, kInZip64, wide_size) && agrees(directory.offset, kInZip64, wide_offset),
            "zip: the two end records disagree");
    directory = {wide.entry_count, wide_offset, wide_size};
    directory_end = record_offset;
  }
  require(disk == 0 && directory_disk == 0 && (has_locator || entries_here == directory.entry_count),
          "zip: archives in several parts are not read");
  if (directory.size <= directory_end) {
    refuse_row_of_zips(file, directory_end - directory.size, directory.offset);
  }
  if (directory.size > directory_end || directory.offset != directory_end - directory.size) {
    throw FormatError("zip: the directory is not where the end record says; bytes were added or lost");
  }
  return directory;
}

struct CentralEntry {
  ZipEntry entry;
  std::uint16_t flags = 0;
  std::uint64_t compressed_size = 0;
};

// Fills in, from the zip64 extra field, the values that are kInZip64 in the header itself.
void read_zip64_extra(ByteCursor extra, std::uint64_t& uncompressed, std::uint64_t& compressed,
                      std::uint64_t* header_offset) {
  while (extra.remaining() >= 4) {
    const auto id = extra.take<std::uint16_t>();
    const auto size = extra.take<std::uint16_t>();
    ByteCursor field = extra.take_part(size);
    if (id != kZip64Extra) {
      continue;
    }
    for (std::uint64_t* value : {&uncompressed, &compressed, header_offset}) {
      if (value != nullptr && *value == kInZip64) {
        *value = field.take<std::uint64_t>();
      }
    }
    return;
  }
}

CentralEntry take_central_entry(ByteCursor& cursor) {
  cursor.require(cursor.take<std::uint32_t>() == kCentralHeader, "zip: the directory is damaged");
  CentralEntry central;
  cursor.take_bytes(4);  // versions
  central.flags = cursor.take<std::uint16_t>();
  central.entry.method = cursor.take<std::uint16_t>();
  cursor.take_bytes(4);  // time
  central.entry.crc = cursor.take<std::uint32_t>();
  central.compressed_size = cursor.take<std::uint32_t>();
  central.entry.uncompressed_size = cursor.take<std::uint32_t>();
  const auto name_size = cursor.take<std::uint16_t>();
  const auto extra_size = cursor.take<std::uint16_t>();
  const auto comment_size = cursor.take<std::uint16_t>();
  cursor.take_bytes(8);  // disk, attributes
  central.entry.header_offset = cursor.take<std::uint32_t>();
  central.entry.name = cursor.take_text(name_size);
  read_zip64_extra(cursor.take_part(extra_size), central.entry.uncompressed_size, central.compressed_size,
                   &central.entry.header_offset);
  cursor.take_bytes(comment_size);
  return central;
}

std::string place_of(std::string_view name) { return "zip entry " + text::quoted(name); }

[[noreturn]] void fail_entry(std::string_view name, const std::string& fact) {
  throw FormatError(place_of(name) + ": " + fact);
}

void check_crc(const ZipEntry& entry, std::span<const std::byte> data) {
  if (entry.crc != 0 && crc32(data) != entry.crc) {
    fail_entry(entry.name, "its CRC is wrong; the file is damaged");
  }
}

// Checks the local header against the central one and finds the data after it.
void locate_data(std::span<const std::byte> file, std::uint64_t directory_offset, CentralEntry& central) {
  ZipEntry& entry = central.entry;
  require(entry.header_offset < directory_offset, "lies outside the file");
  ByteCursor cursor(file.first(directory_offset).subspan(entry.header_offset), entry.header_offset);
  cursor.require(cursor.take<std::uint32_t>() == kLocalHeader, "there is no entry");
  cursor.take_bytes(2);  // version
  const auto flags = cursor.take<std::uint16_t>();
  const auto method = cursor.take<std::uint16_t>();
  cursor.take_bytes(4);  // time
  const auto crc = cursor.take<std::uint32_t>();
  std::uint64_t compressed = cursor.take<std::uint32_t>();
  std::uint64_t uncompressed = cursor.take<std::uint32_t>();
  const auto name_size = cursor.take<std::uint16_t>();
  const auto extra_size = cursor.take<std::uint16_t>();
  require(cursor.take_text(name_size) == entry.name && flags == central.flags && method == entry.method,
          "its header disagrees with the directory");
  read_zip64_extra(cursor.take_part(extra_size), uncompressed, compressed, nullptr);
  const bool sizes_agree =
      compressed == central.compressed_size && uncompressed == entry.uncompressed_size && crc == entry.crc;
  // With a descriptor after the data the header may leave them 0.
  if (!sizes_agree && !((flags & kFlagDescriptor) != 0 && compressed == 0 && uncompressed == 0 && crc == 0)) {
    throw FormatError("its header disagrees with the directory");
  }
  entry.data = cursor.take_bytes(central.compressed_size);
}

}  // namespace

ZipReader::ZipReader(std::span<const std::byte> file) {
  const Directory directory = read_end_records(file);
  ByteCursor cursor = cursor_at(file, directory.offset, directory.size, "the directory");
  while (cursor.remaining() > 0) {
    CentralEntry central = take_central_entry(cursor);
    const ZipEntry& entry = central.entry;
    with_place(place_of(entry.name), [&] {
      require((central.flags & kFlagEncrypted) == 0, "is encrypted");
      require((central.flags & ~kFlagsAllowed) == 0, "has unknown flags");
      locate_data(file, directory.offset, central);
      require(entry.method != 0 || entry.uncompressed_size == entry.data.size(), "is stored, yet has two sizes");
      require(by_name_.emplace(entry.name, entries_.size()).second, "is there twice");
    });
    entries_.push_back(entry);
  }
  if (entries_.size() != directory.entry_count) {
    throw FormatError("zip: the directory has " + std::to_string(entries_.size()) + " entries, the end record says " +
                      std::to_string(directory.entry_count));
  }
  std::vector<ZipEntry> in_file_order = entries_;
  std::ranges::sort(in_file_order, {}, &ZipEntry::header_offset);
  std::size_t end = 0;
  for (const ZipEntry& entry : in_file_order) {
    if (entry.header_offset < end || (end == 0 && entry.header_offset != 0)) {
      fail_entry(entry.name, end == 0 ? "there are bytes before it" : "overlaps another");
    }
    end = static_cast<std::size_t>(entry.data.data() - file.data()) + entry.data.size();
  }
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> ZipReader::stored(const ZipEntry& entry) {
  if (entry.method != 0) {
    fail_entry(entry.name, "is compressed; PyTorch stores it (unzip the file, then zip -0Dr NEW.pt FOLDER)");
  }
  return entry.data;
}

std::span<const std::byte> ZipReader::checked(const ZipEntry& entry) {
  const auto data = stored(entry);
  check_crc(entry, data);
  return data;
}

std::string ZipReader::unpacked(const ZipEntry& entry) {
  constexpr std::uint16_t kDeflated = 8;
  std::string text =
      entry.method == kDeflated
          ? with_place(place_of(entry.name), [&] { return inflate(entry.data, entry.uncompressed_size); })
          : std::string(text_of(stored(entry)));
  check_crc(entry, bytes_of(text));
  return text;
}

}  // namespace iris
