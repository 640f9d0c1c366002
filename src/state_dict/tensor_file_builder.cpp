#include "state_dict/tensor_file_builder.h"

#include <ATen/ops/empty.h>

#include <memory>
#include <optional>

#include "error.h"
#include "text.h"

namespace iris {

using pickle::Kind;
using pickle::Value;

Value TensorFileBuilder::add(Kind kind, std::vector<Value> items) {
  return file_.document.add_items(kind, std::move(items), 0);
}

Value TensorFileBuilder::add_text(const std::string& text) { return file_.document.add_text(Kind::kString, text); }
Value TensorFileBuilder::add_list(std::vector<Value> items) { return add(Kind::kList, std::move(items)); }
Value TensorFileBuilder::add_tuple(std::vector<Value> items) { return add(Kind::kTuple, std::move(items)); }
Value TensorFileBuilder::add_dict(std::vector<Value> items) { return add(Kind::kDict, std::move(items)); }

Value TensorFileBuilder::add_dict(const Entries& entries) {
  std::vector<Value> items;
  for (const auto& [key, value] : entries) {
    items.insert(items.end(), {add_text(key), value});
  }
  return add_dict(std::move(items));
}

Value TensorFileBuilder::add_state_dict(const StateDict& state_dict) {
  std::vector<Value> items;
  for (const auto& item : state_dict) {
    items.insert(items.end(), {add_text(item.key()), add_tensor(item.key(), item.value())});
  }
  const Value root = add(Kind::kOrderedDict, std::move(items));
  if (!state_dict.versions.is_empty()) {
    std::vector<Value> versions;
    for (const auto& version : state_dict.versions) {
      const Value module = add_dict({{"version", Value::of_int(version.value())}});
      versions.insert(versions.end(), {add_text(version.key()), module});
    }
    const Value metadata = add(Kind::kOrderedDict, std::move(versions));
    file_.document.set_state(root, add_dict({{"_metadata", metadata}}));
  }
  return root;
}

Value TensorFileBuilder::add_tensor(const std::string& name, const at::Tensor& tensor) {
  const bool has_memory =
      tensor.defined() && tensor.layout() == at::kStrided && tensor.has_storage() && !tensor.is_meta();
  const std::optional<DType> dtype =
      has_memory ? dtype_of_number(static_cast<std::int8_t>(tensor.scalar_type())) : std::nullopt;
  if (!dtype) {
    throw InputError("tensor " + text::quoted(name) +
                     " cannot be written: it is undefined, sparse, quantized or without data");
  }
  TensorRecord record;
  record.dtype = *dtype;
  record.shape = tensor.sizes().vec();
  record.strides = tensor.strides().vec();
  record.offset = tensor.storage_offset();
  record.storage = add_storage(tensor, *dtype);
  record.requires_grad = tensor.requires_grad();
  record.is_conj = tensor.is_conj();
  record.is_neg = tensor.is_neg();
  return file_.add(std::move(record));
}

std::uint32_t TensorFileBuilder::add_storage(const at::Tensor& tensor, DType dtype) {
  const c10::Storage& storage = tensor.storage();
  const auto [place, is_new] =
      places_.emplace(storage.unsafeGetStorageImpl(), static_cast<std::uint32_t>(file_.storages.size()));
  if (!is_new) {
    auto& known = file_.storages[place->second].dtype;
    known = known == dtype ? known : std::nullopt;  // the same bytes seen as two dtypes
    return place->second;
  }
  const at::NoGradGuard no_grad;
  const auto size = static_cast<std::int64_t>(storage.nbytes());
  const at::Tensor bytes =
      at::empty({0}, at::TensorOptions(at::kByte).device(tensor.device())).set_(storage, 0, {size}, {1}).cpu();
  StorageRecord record;
  record.dtype = dtype;
  record.size = storage.nbytes();
  record.data = {static_cast<const std::byte*>(bytes.const_data_ptr()), record.size};
  record.owner = std::make_shared<at::Tensor>(bytes);
  file_.storages.push_back(std::move(record));
  return place->second;
}

TensorFile TensorFileBuilder::build(Value root) {
  file_.root = root;
  return std::move(file_);
}

}  // namespace iris
