// What a file is, told by its content.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/file_bytes.h"
#include "tensor_file/zip_reader.h"

namespace iris {

enum class FileKind { kZip, kLegacy, kSafetensors, kTar, kOther };

FileKind kind_of_file(std::span<const std::byte> bytes);

// Of a file of kind kOther: what it is instead, and what to do.
std::string describe_foreign_file(std::span<const std::byte> bytes);

// A zip's directory is read here, once, for all who look into the file.
struct OpenedFile {
  // Throws FormatError where the structure of a zip is damaged.
  explicit OpenedFile(std::shared_ptr<const FileBytes> the_bytes);
  // "-" is standard input. Throws FormatError, without the path, also where the file cannot be read.
  explicit OpenedFile(const std::string& path) : OpenedFile(FileBytes::open(path)) {}

  std::shared_ptr<const FileBytes> bytes;
  FileKind kind;
  std::optional<ZipReader> zip;  // where the kind is kZip
};

}  // namespace iris
