#include <ATen/ops/empty.h>
#include <torch/nn/module.h>

#include <unordered_map>
#include <utility>
#include <vector>

#include "error.h"
#include "io/output_file.h"
#include "pickle/text.h"
#include "state_dict/state_dict.h"
#include "state_dict/tensor_writer.h"
#include "state_dict/tensors.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// The order of Python's module.state_dict(): a module's own parameters, its own buffers, then its children.
void collect(const torch::nn::Module& module, const std::string& path, StateDict& result) {
  const std::string prefix = path.empty() ? "" : path + ".";
  bool counts_batches = false;
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    result.insert(prefix + parameter.key(), parameter.value().detach());
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    result.insert(prefix + buffer.key(), buffer.value().detach());
    counts_batches = counts_batches || buffer.key() == "num_batches_tracked";
  }
  result.versions.insert(path, counts_batches ? 2 : 1);  // as torch.nn.BatchNorm1d._version
  for (const auto& child : module.named_children()) {
    collect(*child.value(), prefix + child.key(), result);
  }
}

class FileBuilder {
 public:
  TensorFile build(const StateDict& state_dict) {
    std::vector<Value> items;
    for (const auto& item : state_dict) {
      items.push_back(text(item.key()));
      items.push_back(add_tensor(item.key(), item.value()));
    }
    file_.root = add(Kind::kOrderedDict, std::move(items));
    if (!state_dict.versions.is_empty()) {
      std::vector<Value> versions;
      for (const auto& version : state_dict.versions) {
        versions.push_back(text(version.key()));
        versions.push_back(add(Kind::kDict, {text("version"), Value::of_int(version.value())}));
      }
      const Value metadata = add(Kind::kOrderedDict, std::move(versions));
      file_.document.set_state(file_.root, add(Kind::kDict, {text("_metadata"), metadata}));
    }
    return std::move(file_);
  }

 private:
  Value add(Kind kind, std::vector<Value> items) { return file_.document.add_items(kind, std::move(items), 0); }
  Value text(const std::string& text) { return file_.document.add_text(Kind::kString, text); }

  Value add_tensor(const std::string& name, const at::Tensor& tensor) {
    const bool has_memory =
        tensor.defined() && tensor.layout() == at::kStrided && tensor.has_storage() && !tensor.is_meta();
    const std::optional<DType> dtype =
        has_memory ? dtype_of_number(static_cast<std::int8_t>(tensor.scalar_type())) : std::nullopt;
    if (!dtype) {
      throw InputError("tensor " + pickle::quoted(name) +
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
    file_.tensors.push_back(std::move(record));
    return Value::of_external(static_cast<std::uint32_t>(file_.tensors.size() - 1));
  }

  std::uint32_t add_storage(const at::Tensor& tensor, DType dtype) {
    const c10::Storage& storage = tensor.storage();
    const auto [place, is_new] =
        places_.emplace(storage.unsafeGetStorageImpl(), static_cast<std::uint32_t>(file_.storages.size()));
    if (!is_new) {
      auto& known = file_.storages[place->second];
      if (known.dtype != dtype) {
        known.dtype = std::nullopt;  // the same bytes seen as two dtypes
      }
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

  TensorFile file_;
  std::unordered_map<const c10::StorageImpl*, std::uint32_t> places_;
};

}  // namespace

StateDict state_dict_of(const torch::nn::Module& module) {
  StateDict result;
  collect(module, "", result);
  return result;
}

TensorFile tensor_file_of(const StateDict& state_dict) { return FileBuilder().build(state_dict); }

void write_state_dict(const StateDict& state_dict, const std::string& path) {
  TensorFile file = tensor_file_of(state_dict);
  OutputFile output(path);
  try {
    if (path.ends_with(".safetensors")) {
      write_safetensors(file, file.root, output);
    } else {
      write_zip(file, file.root, output);
    }
  } catch (const FormatError& error) {
    throw InputError(path + ": " + error.what());
  }
  output.commit();
}

}  // namespace iris
