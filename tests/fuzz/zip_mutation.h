// Mutations that a zip's structure survives: without them nearly every changed byte ends at a CRC or a size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "io/bytes.h"
#include "tensor_file/crc32.h"
#include "tensor_file/zip_format.h"
#include "tensor_file/zip_reader.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace iris::fuzz {

constexpr std::uint64_t kMostUnpacked = 1 << 16;

struct MutableEntry {
  std::string name;
  std::string data;
  bool has_crc = true;
};

inline void mutate_text(std::string& text, std::size_t room) {
  const std::size_t size = text.size();
  text.resize(size + room);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, size + room));
}

inline std::optional<std::vector<MutableEntry>> entries_of(std::span<const std::byte> bytes) {
  std::vector<MutableEntry> entries;
  try {
    const ZipReader zip(bytes);
    for (const ZipEntry& entry : zip.entries()) {
      const bool is_small = entry.method != 0 && entry.uncompressed_size <= kMostUnpacked;  // it is stored from now on
      entries.push_back({std::string(entry.name),
                         is_small ? ZipReader::unpacked(entry) : std::string(text_of(entry.data)), entry.crc != 0});
    }
  } catch (const FormatError&) {
    return std::nullopt;
  }
  return entries;
}

// Sizes and CRCs are right and nothing is aligned, for the smallest file.
inline std::string zip_of(const std::vector<MutableEntry>& entries) {
  using namespace zip;
  std::string bytes;
  std::string directory;
  const auto put = [](std::string& to, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      to += static_cast<char>(value >> (8 * i) & 0xFF);
    }
  };
  for (const MutableEntry& entry : entries) {
    const std::uint64_t offset = bytes.size();
    std::string common;  // version, flags, method, time, crc, sizes, lengths of the name and the extra field
    put(common, 20, 2);
    common.append(8, '\0');
    put(common, entry.has_crc ? crc32(std::as_bytes(std::span(entry.data))) : 0, 4);
    put(common, entry.data.size(), 4);
    put(common, entry.data.size(), 4);
    put(common, entry.name.size(), 2);
    put(common, 0, 2);
    put(bytes, kLocalHeader, 4);
    bytes += common + entry.name + entry.data;
    put(directory, kCentralHeader, 4);
    put(directory, 20, 2);
    directory += common;
    directory.append(10, '\0');  // comment, disk, attributes
    put(directory, offset, 4);
    directory += entry.name;
  }
  std::string end;
  put(end, kEndRecord, 4);
  put(end, 0, 4);
  put(end, entries.size(), 2);
  put(end, entries.size(), 2);
  put(end, directory.size(), 4);
  put(end, bytes.size(), 4);
  put(end, 0, 2);
  return bytes + directory + end;
}

// A pickle, or TorchScript's code.
inline bool decides(const MutableEntry& entry) { return entry.name.ends_with(".pkl") || entry.name.ends_with(".py"); }

// nullopt: it is no whole zip, or has become larger than `max_size`.
inline std::optional<std::string> mutated_zip(std::span<const std::byte> bytes, std::size_t max_size,
                                              std::minstd_rand& random) {
  std::optional<std::vector<MutableEntry>> entries = entries_of(bytes);
  if (!entries || entries->empty()) {
    return std::nullopt;
  }
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  const auto any = [&]() -> MutableEntry& { return (*entries)[random() % entries->size()]; };
  const std::size_t room = 64;
  if (one_in(16)) {
    MutableEntry& entry = any();
    mutate_text(entry.name, 16);
    entry.name.resize(std::min<std::size_t>(entry.name.size(), 0xFFFF));
  } else if (one_in(16)) {
    entries->push_back(any());
    mutate_text(entries->back().name, 16);
  } else if (one_in(16)) {
    any().has_crc ^= true;
  } else if (one_in(24)) {
    entries->erase(entries->begin() + static_cast<std::ptrdiff_t>(random() % entries->size()));
  } else if (one_in(24)) {
    std::swap(any(), any());
  } else if (one_in(8)) {
    mutate_text(any().data, room);
  } else {  // these decide on everything else
    const auto count = static_cast<unsigned>(std::count_if(entries->begin(), entries->end(), decides));
    unsigned chosen = count == 0 ? 0 : static_cast<unsigned>(random()) % count;
    for (MutableEntry& entry : *entries) {
      if (decides(entry) && chosen-- == 0) {
        mutate_text(entry.data, room);
      }
    }
  }
  std::string result = zip_of(*entries);
  return result.size() > max_size ? std::optional<std::string>() : result;
}

// Of a safetensors file: the header is mutated, its length made right.
inline std::optional<std::string> mutated_safetensors(std::string_view bytes, std::size_t max_size) {
  constexpr std::size_t kLength = 8;
  if (bytes.size() <= kLength || bytes[kLength] != '{') {
    return std::nullopt;
  }
  std::size_t size = 0;
  for (std::size_t i = kLength; i-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (size > bytes.size() - kLength) {
    return std::nullopt;
  }
  std::string header(bytes.substr(kLength, size));
  mutate_text(header, 64);
  std::string result;
  for (std::size_t i = 0; i < kLength; ++i) {
    result += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  result += header;
  result += bytes.substr(kLength + size);
  return result.size() > max_size ? std::optional<std::string>() : result;
}

}  // namespace iris::fuzz
