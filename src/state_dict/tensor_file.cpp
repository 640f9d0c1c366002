#include "state_dict/tensor_file.h"

#include <utility>

#include "error.h"
#include "state_dict/containers.h"
#include "state_dict/file_kind.h"

namespace iris {

std::int64_t TensorRecord::numel() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) {
    product *= size;
  }
  return product;
}

bool TensorRecord::is_contiguous() const {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) {
      return true;
    }
    if (shape[i] != 1 && strides[i] != expected) {
      return false;
    }
    expected *= shape[i];
  }
  return true;
}

const TensorRecord* TensorFile::tensor(pickle::Value value) const {
  return value.kind == pickle::Kind::kExternal ? &tensors.at(value.index) : nullptr;
}

TensorFile read_tensor_file(const std::string& path) {
  try {
    auto file = FileBytes::open(path);
    switch (kind_of_file(file->bytes())) {
      case FileKind::kZip:
        return read_zip_container(std::move(file));
      case FileKind::kOther:
        break;
    }
    throw FormatError(describe_foreign_file(file->bytes()));
  } catch (const FormatError& error) {
    throw FormatError((path == "-" ? "stdin" : path) + ": " + error.what());
  }
}

}  // namespace iris
