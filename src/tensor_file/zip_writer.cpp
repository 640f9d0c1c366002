#include "tensor_file/zip_writer.h"

#include <algorithm>
#include <future>
#include <string_view>
#include <type_traits>

#include "error.h"
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
constexpr auto kAnyLaunch = std::launch::async | std::launch::deferred;  // deferred when there is no thread to be had
constexpr std::uint16_t kVersion = 45;                                   // zip64
constexpr std::uint16_t kDate = 33;  // 1980-01-01: no time of writing, for equal bytes

template <typename Integer>
void put(std::string& bytes, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes += static_cast<char>(static_cast<std::make_unsigned_t<Integer>>(value) >> (8 * i) & 0xFF);
  }
}

std::uint32_t narrow(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, kInZip64));
}

// What the local and the central header have in common.
void put_common(std::string& bytes, std::uint32_t crc, std::uint64_t size, std::size_t name_size,
                std::size_t extra_size) {
  put(bytes, kVersion);
  put<std::uint16_t>(bytes, 1 << 11);  // names are UTF-8
  put<std::uint16_t>(bytes, 0);        // stored
  put<std::uint16_t>(bytes, 0);
  put(bytes, kDate);
  put(bytes, crc);
  put(bytes, narrow(size));
  put(bytes, narrow(size));
  put(bytes, static_cast<std::uint16_t>(name_size));
  put(bytes, static_cast<std::uint16_t>(extra_size));
}

std::string zip64_extra(std::uint64_t size, std::uint64_t offset) {
  std::string values;
  if (size >= kInZip64) {
    put(values, size);
    put(values, size);
  }
  if (offset >= kInZip64) {
    put(values, offset);
  }
  std::string extra;
  if (!values.empty()) {
    put(extra, kZip64Extra);
    put(extra, static_cast<std::uint16_t>(values.size()));
    extra += values;
  }
  return extra;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void ZipWriter::write(const std::string& bytes) {
  output_.write(bytes);
  offset_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> data, std::uint32_t known_crc) {
  const std::uint32_t crc = known_crc != 0 ? known_crc : crc32(data);
  entries_.push_back({name, offset_, data.size(), crc});

  std::string extra = zip64_extra(data.size(), 0);
  const std::uint64_t unpadded = offset_ + kLocalHeaderSize + name.size() + extra.size() + kExtraHeader;
  const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  put(extra, kPaddingExtra);
  put(extra, static_cast<std::uint16_t>(padding));
  extra.append(padding, 'Z');

  std::string header;
  put(header, kLocalHeader);
  put_common(header, crc, data.size(), name.size(), extra.size());
  write(header + name + extra);

  // Compared on another core, where there is one, while this one writes.
  std::future<std::uint32_t> found;
  if (known_crc != 0) {
    found =
        std::async(data.size() < kWorthAThread ? std::launch::deferred : kAnyLaunch, [data] { return crc32(data); });
  }
  output_.write(text_of(data));
  offset_ += data.size();
  if (known_crc != 0 && found.get() != known_crc) {
    throw FormatError("zip entry " + text::quoted(name) + ": its CRC is wrong; the file is damaged");
  }
}

void ZipWriter::finish() {
  const std::uint64_t directory = offset_;
  for (const Entry& entry : entries_) {
    const std::string extra = zip64_extra(entry.size, entry.offset);
    std::string header;
    put(header, kCentralHeader);
    put(header, kVersion);
    put_common(header, entry.crc, entry.size, entry.name.size(), extra.size());
    put<std::uint16_t>(header, 0);  // comment
    put<std::uint16_t>(header, 0);  // disk
    put<std::uint16_t>(header, 0);  // attributes
    put<std::uint32_t>(header, 0);
    put(header, narrow(entry.offset));
    write(header + entry.name + extra);
  }
  const std::uint64_t size = offset_ - directory;
  const std::uint64_t count = entries_.size();
  std::string end;
  if (count >= kCountInZip64 || size >= kInZip64 || directory >= kInZip64) {
    put(end, kZip64EndRecord);
    put<std::uint64_t>(end, kZip64EndRecordSize - 12);
    put(end, kVersion);
    put(end, kVersion);
    put<std::uint32_t>(end, 0);
    put<std::uint32_t>(end, 0);
    put(end, count);
    put(end, count);
    put(end, size);
    put(end, directory);
    put(end, kZip64Locator);
    put<std::uint32_t>(end, 0);
    put(end, directory + size);
    put<std::uint32_t>(end, 1);
  }
  put(end, kEndRecord);
  put<std::uint16_t>(end, 0);
  put<std::uint16_t>(end, 0);
  const auto narrow_count = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kCountInZip64));
  put(end, narrow_count);
  put(end, narrow_count);
  put(end, narrow(size));
  put(end, narrow(directory));
  put<std::uint16_t>(end, 0);
  write(end);
}

}  // namespace iris
