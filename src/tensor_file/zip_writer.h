// A zip archive as PyTorch writes it: entries stored, data at 64-byte alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/output_file.h"

namespace iris {

// Writes front to back, so that the output may be a pipe. The same entries give the same bytes.
class ZipWriter {
 public:
  // The output must outlive the writer.
  explicit ZipWriter(OutputFile& output) : output_(output) {}

  // `known_crc`: what the data's CRC is believed to be, or 0. Throws FormatError when it is another, and what
  // OutputFile::write throws.
  void add(const std::string& name, std::span<const std::byte> data, std::uint32_t known_crc = 0);

  // Writes the directory; nothing may be added afterwards.
  void finish();

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset;
    std::uint64_t size;
    std::uint32_t crc;
  };

  void write(std::string_view bytes);

  OutputFile& output_;
  std::uint64_t offset_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace iris
