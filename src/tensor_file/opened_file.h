// A file's bytes, and what they say that it is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/file_bytes.h"
#include "tensor_file/file_kind.h"
#include "tensor_file/zip_reader.h"

namespace iris {

// A zip's directory is read here, once, for all who look into the file.
struct OpenedFile {
  // Throws FormatError where the structure of a zip is damaged.
  explicit OpenedFile(std::shared_ptr<const FileBytes> the_bytes);
  // "-" is standard input. Throws FormatError, without the path, also where the file cannot be read.
  explicit OpenedFile(const std::string& path);

  std::shared_ptr<const FileBytes> bytes;
  FileKind kind;
  std::optional<ZipReader> zip;  // where the kind is kZip
};

}  // namespace iris
