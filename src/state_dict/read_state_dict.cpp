#include "state_dict/tensors.h"

#include <c10/core/ScalarTypeToTypeMeta.h>
#include <c10/core/Storage.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "error.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_writer.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

// What a storage keeps alive: it is released with the last tensor on it.
struct Held {
  std::shared_ptr<const void> owner;
  std::shared_ptr<const FileBytes> file;  // that the memory is mapped from; nullptr: it is a copy

  static void release(void* held) { delete static_cast<Held*>(held); }
};

c10::Storage make_storage(const StorageRecord& record, std::size_t alignment) {
  auto held = std::make_unique<Held>(Held{record.owner, record.file});
  const auto* bytes = record.data.data();
  if (reinterpret_cast<std::uintptr_t>(bytes) % alignment != 0) {
    auto copy = std::make_shared<std::vector<std::byte>>(record.data.begin(), record.data.end());
    bytes = copy->data();
    *held = {std::move(copy), nullptr};
  }
  // The mapping is private and writable (FileBytes).
  auto* data = const_cast<std::byte*>(bytes);
  c10::DataPtr pointer(data, held.release(), Held::release, c10::Device(c10::DeviceType::CPU));
  return c10::Storage(c10::Storage::use_byte_size_t(), record.size, std::move(pointer), nullptr, false);
}

// Not by the dispatcher: it would check again what is checked already, and warn of complex32.
at::Tensor make_tensor(const TensorRecord& record, const c10::Storage& storage) {
  const auto dtype = static_cast<at::ScalarType>(record.dtype);
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(storage), c10::DispatchKeySet(c10::DispatchKey::CPU), c10::scalarTypeToTypeMeta(dtype));
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(record.shape, record.strides,
                                                      record.numel() == 0 ? 0 : record.offset);  // any is allowed
  tensor._set_conj(record.is_conj);
  tensor._set_neg(record.is_neg);
  if (record.requires_grad && (at::isFloatingType(dtype) || at::isComplexType(dtype))) {
    tensor.set_requires_grad(true);
  }
  return tensor;
}

void read_versions(const TensorFile& file, pickle::Value dict, StateDict& result) {
  const auto& document = file.document;
  const pickle::Value* metadata = document.find(document.state(dict), "_metadata");
  for (const auto& [path, module] : document.entries(metadata == nullptr ? pickle::Value{} : *metadata)) {
    const pickle::Value* version = document.find(module, "version");
    if (path.kind == pickle::Kind::kString && version != nullptr && version->kind == pickle::Kind::kInt) {
      result.versions.insert(std::string(document.text(path)), version->integer);
    }
  }
}

}  // namespace

StateDict tensors_of(const TensorFile& file, const std::optional<std::string>& key) {
  const Selection selection = select_state_dict(file, key);
  require_all_tensors(file, selection.dict);
  return tensors_in(file, selection.dict);
}

StateDict tensors_in(const TensorFile& file, pickle::Value value) {
  std::vector<std::size_t> alignments(file.storages.size(), 1);  // that suffices for all tensors on a storage
  for (const TensorRecord& tensor : file.tensors) {
    alignments[tensor.storage] = std::max(alignments[tensor.storage], word_size_of(tensor.dtype));
  }
  std::vector<c10::Storage> storages(file.storages.size());
  StateDict result;
  for (const NamedTensor& named : named_tensors(file, value)) {
    const auto& [name, record, is_named, is_own_name] = named;
    c10::Storage& storage = storages[record->storage];
    if (!storage) {
      storage = make_storage(file.storages[record->storage], alignments[record->storage]);
    }
    if (result.contains(name)) {
      throw FormatError("two tensors have the name " + text::quoted(name));
    }
    result.insert(name, make_tensor(*record, storage));
  }
  read_versions(file, value, result);
  return result;
}

StateDict read_state_dict(const std::string& path, const std::optional<std::string>& key, bool verify) {
  const TensorFile file = read_tensor_file(path);
  return with_place(text::input_name(path), [&] {
    return read_whole(file, [&] {
      if (verify) {
        verify_data(file);
      }
      return tensors_of(file, key);
    });
  });
}

void require_unchanged(const StateDict& state_dict) {
  std::set<const FileBytes*> looked_at;
  for (const auto& item : state_dict) {
    if (!item.value().has_storage()) {
      continue;
    }
    const c10::DataPtr& memory = item.value().storage().data_ptr();
    if (memory.get_deleter() != &Held::release) {
      continue;
    }
    const auto* file = static_cast<const Held*>(memory.get_context())->file.get();
    if (file != nullptr && looked_at.insert(file).second) {
      with_place(text::input_name(file->path()), [&] { file->require_unchanged(); });
    }
  }
}

}  // namespace iris
