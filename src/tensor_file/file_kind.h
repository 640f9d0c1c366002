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

enum class FileKind { kZip, kLegacy, kSafetensors, kTar, kIndex, kDistributed, kOther };

FileKind kind_of_file(std::span<const std::byte> bytes);

// As FileBytes::open. Of a torch.distributed.checkpoint folder the .metadata is opened; another folder is named for
// what it is.
std::shared_ptr<const FileBytes> open_file(const std::string& path,
                                           FileBytes::Reading reading = FileBytes::Reading::kMapped);

// A zip's directory is read here, once, for all who look into the file.
struct OpenedFile {
  // Throws FormatError where the structure of a zip is damaged.
  explicit OpenedFile(std::shared_ptr<const FileBytes> the_bytes);
  // "-" is standard input. Throws FormatError, without the path, also where the file cannot be read.
  explicit OpenedFile(const std::string& path) : OpenedFile(open_file(path)) {}

  std::shared_ptr<const FileBytes> bytes;
  FileKind kind;
  std::optional<ZipReader> zip;  // where the kind is kZip
};

}  // namespace iris
