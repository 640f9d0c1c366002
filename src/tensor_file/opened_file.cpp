#include "tensor_file/opened_file.h"

#include <utility>

namespace iris {

OpenedFile::OpenedFile(std::shared_ptr<const FileBytes> the_bytes)
    : bytes(std::move(the_bytes)), kind(kind_of_file(bytes->bytes())) {
  if (kind == FileKind::kZip) {
    zip.emplace(bytes->bytes());
  }
}

OpenedFile::OpenedFile(const std::string& path) : OpenedFile(FileBytes::open(path)) {}

}  // namespace iris
