#include "tensor_file/tensor_file.h"

#include <functional>
#include <numeric>

#include "error.h"
#include "tensor_file/containers.h"
#include "tensor_file/file_kind.h"
#include "tensor_file/foreign_file.h"
#include "text.h"
#include "with_place.h"

namespace iris {

std::int64_t TensorRecord::numel() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies());
}

bool TensorRecord::is_contiguous() const {
  if (numel() == 0) {
    return true;
  }
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) {
      return false;
    }
    expected *= shape[i];
  }
  return true;
}

void TensorFile::require_unchanged() const {
  file->require_unchanged();
  for (const auto& shard : shards) {
    with_place("shard " + text::quoted(shard->path()), [&] { shard->require_unchanged(); });
  }
}

std::uint64_t TensorFile::size() const {
  std::uint64_t size = file->bytes().size();
  for (const auto& shard : shards) {
    size += shard->bytes().size();
  }
  return size;
}

pickle::Value TensorFile::add(TensorRecord tensor) {
  tensors.push_back(std::move(tensor));
  return pickle::Value::of_external(static_cast<std::uint32_t>(tensors.size() - 1));
}

const TensorRecord* TensorFile::tensor(pickle::Value value) const {
  return value.kind == pickle::Kind::kExternal ? &tensors.at(value.index) : nullptr;
}

TensorFile read_tensor_file(const OpenedFile& file) {
  switch (file.kind) {
    case FileKind::kZip:
      return read_zip_container(*file.zip, file.bytes);
    case FileKind::kLegacy:
      return read_legacy_container(file.bytes);
    case FileKind::kSafetensors:
      return read_safetensors_container(file.bytes);
    case FileKind::kTar:
      return read_tar_container(file.bytes);
    case FileKind::kIndex:
      return read_sharded_file(file.bytes);
    case FileKind::kDistributed:
      return read_distributed_checkpoint(file.bytes);
    case FileKind::kOther:
      break;
  }
  throw FormatError(describe_foreign_file(file.bytes->bytes()));
}

TensorFile read_tensor_file(const std::string& path, FileBytes::Reading reading) {
  return with_place(text::input_name(path), [&] {
    const auto bytes = open_file(path, reading);
    return read_whole(*bytes, [&] { return read_tensor_file(OpenedFile(bytes)); });
  });
}

}  // namespace iris
