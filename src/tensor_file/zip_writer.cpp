#include "tensor_file/zip_writer.h"

#include <algorithm>
#include <future>

#include "error.h"
#include "io/bytes.h"
#include "tensor_file/crc32.h"
#include "tensor_file/zip_format.h"
#include "text.h"

namespace iris {
namespace {

using namespace zip;

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint16_t kPaddingExtra = 0x4246;  // "FB", PyTorch's own
constexpr std::size_t kExtraHeader = 4;
constexpr std::size_t kWorthAThread = 1 << 20;
constexpr auto kAnyLaunch = std::launch::async | std::launch::deferred;  // deferred where no thread can be had
constexpr std::uint16_t kVersion = 45;                                   // zip64
constexpr std::uint16_t kNamesAreUtf8 = 1 << 11;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDate = 33;   // 1980-01-01: no time of writing, for equal bytes
constexpr std::uint16_t kNone16 = 0;  // no time, comment, disk or attributes
constexpr std::uint32_t kNone32 = 0;

std::uint32_t narrow(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, kInZip64));
}

// What the local and the central header have in common.
void put_common(std::string& bytes, std::uint32_t crc, std::uint64_t size, std::size_t name_size,
                std::size_t extra_size) {
  put_little_endian(bytes, kVersion, kNamesAreUtf8, kStored, kNone16, kDate, crc, narrow(size), narrow(size),
                    static_cast<std::uint16_t>(name_size), static_cast<std::uint16_t>(extra_size));
}

std::string zip64_extra(std::uint64_t size, std::uint64_t offset) {
  std::string values;
  if (size >= kInZip64) {
    put_little_endian(values, size, size);
  }
  if (offset >= kInZip64) {
    put_little_endian(values, offset);
  }
  std::string extra;
  if (!values.empty()) {
    put_little_endian(extra, kZip64Extra, static_cast<std::uint16_t>(values.size()));
    extra += values;
  }
  return extra;
}

}  // namespace

void ZipWriter::write(std::string_view bytes) {
  output_.write(bytes);
  offset_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> data, std::uint32_t known_crc) {
  const std::uint32_t crc = known_crc != 0 ? known_crc : crc32(data);
  entries_.push_back({name, offset_, data.size(), crc});

  std::string extra = zip64_extra(data.size(), 0);
  const std::uint64_t unpadded = offset_ + kLocalHeaderSize + name.size() + extra.size() + kExtraHeader;
  const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  put_little_endian(extra, kPaddingExtra, static_cast<std::uint16_t>(padding));
  extra.append(padding, 'Z');

  std::string header;
  put_little_endian(header, kLocalHeader);
  put_common(header, crc, data.size(), name.size(), extra.size());
  write(header + name + extra);

  // Compared on another core, where there is one, while this one writes.
  std::future<std::uint32_t> found;
  if (known_crc != 0) {
    found =
        std::async(data.size() < kWorthAThread ? std::launch::deferred : kAnyLaunch, [data] { return crc32(data); });
  }
  write(text_of(data));
  if (known_crc != 0 && found.get() != known_crc) {
    throw FormatError("zip entry " + text::quoted(name) + ": its CRC is wrong; the file is damaged");
  }
}

void ZipWriter::finish() {
  const std::uint64_t directory = offset_;
  for (const Entry& entry : entries_) {
    const std::string extra = zip64_extra(entry.size, entry.offset);
    std::string header;
    put_little_endian(header, kCentralHeader, kVersion);
    put_common(header, entry.crc, entry.size, entry.name.size(), extra.size());
    put_little_endian(header, kNone16, kNone16, kNone16, kNone32, narrow(entry.offset));
    write(header + entry.name + extra);
  }
  const std::uint64_t size = offset_ - directory;
  const std::uint64_t count = entries_.size();
  std::string end;
  if (count >= kCountInZip64 || size >= kInZip64 || directory >= kInZip64) {
    const std::uint64_t rest_of_record = kZip64EndRecordSize - 12;
    const std::uint32_t disks = 1;
    put_little_endian(end, kZip64EndRecord, rest_of_record, kVersion, kVersion, kNone32, kNone32, count, count, size,
                      directory);
    put_little_endian(end, kZip64Locator, kNone32, directory + size, disks);
  }
  const auto narrow_count = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kCountInZip64));
  put_little_endian(end, kEndRecord, kNone16, kNone16, narrow_count, narrow_count, narrow(size), narrow(directory),
                    kNone16);
  write(end);
}

}  // namespace iris
