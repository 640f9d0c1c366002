// Zip archives spelled out byte by byte, good ones and bad ones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/bytes.h"
#include "support/pickle_bytes.h"
#include "tensor_file/crc32.h"

namespace iris::test {

// One side's words on an entry: its local header, or its place in the directory. Defaults are right.
struct ZipWords {
  std::optional<std::string> name = {};
  std::optional<std::uint16_t> flags = {};
  std::optional<std::uint16_t> method = {};
  std::optional<std::uint32_t> crc = {};
  std::optional<std::uint32_t> compressed_size = {};
  std::optional<std::uint32_t> size = {};
  std::optional<std::uint32_t> offset = {};  // of the directory only
  std::string extra = {};
};

struct ZipEntryBytes {
  std::string name;
  std::string data;
  ZipWords local = {};
  ZipWords central = {};
};

// The end record's words; defaults are right.
struct ZipEnd {
  std::string before_directory = {};
  std::optional<std::uint16_t> disk = {};
  std::optional<std::uint16_t> entries_here = {};
  std::optional<std::uint16_t> entries = {};
  std::optional<std::uint32_t> size = {};
  std::optional<std::uint32_t> offset = {};
  std::string comment = {};
};

inline std::uint32_t crc_of(std::string_view data) { return crc32(bytes_of(data)); }

inline std::string zip_words(const ZipEntryBytes& entry, const ZipWords& words) {
  const auto size = static_cast<std::uint32_t>(entry.data.size());
  const std::string& name = words.name ? *words.name : entry.name;
  return little_endian(words.flags.value_or(0), 2) + little_endian(words.method.value_or(0), 2) + std::string(4, '\0') +
         little_endian(words.crc.value_or(crc_of(entry.data)), 4) +
         little_endian(words.compressed_size.value_or(size), 4) + little_endian(words.size.value_or(size), 4) +
         little_endian(name.size(), 2) + little_endian(words.extra.size(), 2);
}

inline std::string zip_of(const std::vector<ZipEntryBytes>& entries, const ZipEnd& end = {}) {
  using namespace std::string_literals;
  std::string file;
  std::string directory;
  for (const ZipEntryBytes& entry : entries) {
    const auto offset = static_cast<std::uint32_t>(file.size());
    file += "PK\x03\x04\0\0"s + zip_words(entry, entry.local) + entry.local.name.value_or(entry.name) +
            entry.local.extra + entry.data;
    directory += "PK\x01\x02\0\0\0\0"s + zip_words(entry, entry.central) + std::string(10, '\0') +
                 little_endian(entry.central.offset.value_or(offset), 4) + entry.central.name.value_or(entry.name) +
                 entry.central.extra;
  }
  file += end.before_directory;
  const std::string end_record =
      "PK\x05\x06"s + little_endian(end.disk.value_or(0), 2) + little_endian(end.disk.value_or(0), 2) +
      little_endian(end.entries_here.value_or(static_cast<std::uint16_t>(entries.size())), 2) +
      little_endian(end.entries.value_or(static_cast<std::uint16_t>(entries.size())), 2) +
      little_endian(end.size.value_or(static_cast<std::uint32_t>(directory.size())), 4) +
      little_endian(end.offset.value_or(static_cast<std::uint32_t>(file.size())), 4) +
      little_endian(end.comment.size(), 2) + end.comment;
  return file + directory + end_record;
}

// What torch.save writes around a pickle, with its storages by key.
inline std::vector<ZipEntryBytes> torch_entries(const std::string& pickle,
                                                const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  std::vector<ZipEntryBytes> entries{{"model/data.pkl", pickle}, {"model/byteorder", "little"}};
  for (const auto& [key, data] : storages) {
    entries.push_back({"model/data/" + key, data});
  }
  entries.push_back({"model/version", "3\n"});
  return entries;
}

inline std::string torch_zip(const std::string& pickle,
                             const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  return zip_of(torch_entries(pickle, storages));
}

}  // namespace iris::test
