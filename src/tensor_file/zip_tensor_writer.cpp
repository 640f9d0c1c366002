#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "error.h"
#include "io/bytes.h"
#include "pickle/pickle_writer.h"
#include "tensor_file/crc32.h"
#include "tensor_file/tensor_writer.h"
#include "tensor_file/zip_writer.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// The folder that all entries are in; torch.save takes the file's name, which would make equal input give unequal
// bytes.
const std::string kRoot = "archive";

// Says in pickled calls what resolve_tensors reads out of them (torch/_tensor.py, Tensor._reduce_ex_internal).
class TensorPickler {
 public:
  explicit TensorPickler(TensorFile& file) : file_(file), document_(file.document) {}

  Value call_for(std::uint32_t tensor_index) {
    const TensorRecord& tensor = file_.tensors.at(tensor_index);
    const StorageRecord& storage = file_.storages.at(tensor.storage);
    const bool is_typed = !storage_class_of(tensor.dtype).empty() && storage.dtype == tensor.dtype;
    std::vector<Value> call = {
        global(is_typed ? "torch._utils._rebuild_tensor_v2" : "torch._utils._rebuild_tensor_v3"),
        storage_id(tensor.storage, is_typed ? tensor.dtype : std::optional<DType>()),
        Value::of_int(tensor.offset),
        integers(tensor.shape),
        integers(tensor.strides),
        Value::of_bool(tensor.requires_grad && !tensor.is_parameter),
        no_hooks(),
    };
    if (!is_typed) {
      call.push_back(global("torch." + std::string(name_of(tensor.dtype))));
    }
    std::vector<Value> bits;
    for (const auto& [name, is_set] : {std::pair("conj", tensor.is_conj), std::pair("neg", tensor.is_neg)}) {
      if (is_set) {
        bits.insert(bits.end(), {text(name), Value::of_bool(true)});
      }
    }
    if (!bits.empty()) {
      call.push_back(add(Kind::kDict, std::move(bits)));
    }
    const Value rebuilt = add(Kind::kCall, std::move(call));
    if (!tensor.is_parameter) {
      return rebuilt;
    }
    return add(Kind::kCall,
               {global("torch._utils._rebuild_parameter"), rebuilt, Value::of_bool(tensor.requires_grad), no_hooks()});
  }

  // In the order in which tensors on them were met: their keys are 0, 1, 2, …
  const std::vector<std::uint32_t>& storages() const { return storages_; }

 private:
  Value add(Kind kind, std::vector<Value> items) { return document_.add_items(kind, std::move(items), 0); }
  Value text(const std::string& text) { return add_text(Kind::kString, text); }
  Value global(const std::string& name) { return add_text(Kind::kGlobal, name); }
  Value add_text(Kind kind, const std::string& text) {  // each once, not once for each tensor
    const auto [place, is_new] = texts_.try_emplace({kind, text});
    if (is_new) {
      place->second = document_.add_text(kind, text);
    }
    return place->second;
  }
  Value no_hooks() { return add(Kind::kOrderedDict, {}); }

  Value integers(const std::vector<std::int64_t>& values) {
    std::vector<Value> items;
    std::ranges::transform(values, std::back_inserter(items), Value::of_int);
    return add(Kind::kTuple, std::move(items));
  }

  Value storage_id(std::uint32_t index, std::optional<DType> dtype) {
    const auto [place, is_new] = keys_.emplace(index, storages_.size());
    if (is_new) {
      storages_.push_back(index);
    }
    const std::string type = dtype ? "torch." + std::string(storage_class_of(*dtype)) : "torch.storage.UntypedStorage";
    const std::uint64_t count = file_.storages[index].size / (dtype ? size_of(*dtype) : 1);
    const Value id = add(Kind::kTuple, {text("storage"), global(type), text(std::to_string(place->second)), text("cpu"),
                                        Value::of_int(static_cast<std::int64_t>(count))});
    return add(Kind::kPersistentId, {id});
  }

  TensorFile& file_;
  pickle::Document& document_;
  std::unordered_map<std::uint32_t, std::size_t> keys_;
  std::vector<std::uint32_t> storages_;
  std::map<std::pair<Kind, std::string>, Value> texts_;
};

[[noreturn]] void fail_crc(const StorageRecord& storage) {
  throw FormatError("storage " + text::quoted(storage.key) + ": its CRC is wrong; the file is damaged");
}

}  // namespace

void write_zip(TensorFile& file, Value value, OutputFile& output) {
  TensorPickler pickler(file);
  const std::string pickle =
      pickle::write_pickle(file.document, value, [&](std::uint32_t index) { return pickler.call_for(index); });
  ZipWriter zip(output);
  zip.add(kRoot + "/data.pkl", bytes_of(pickle));
  zip.add(kRoot + "/byteorder", bytes_of("little"));
  for (std::size_t key = 0; key < pickler.storages().size(); ++key) {
    const StorageRecord& storage = file.storages[pickler.storages()[key]];
    try {
      zip.add(kRoot + "/data/" + std::to_string(key), storage.data, storage.crc);
    } catch (const FormatError&) {  // names our entry, not the one that was read
      fail_crc(storage);
    }
  }
  zip.add(kRoot + "/version", bytes_of("3\n"));
  zip.finish();
}

void verify_data(const TensorFile& file) {
  for (const StorageRecord& storage : file.storages) {
    if (storage.crc != 0 && crc32(storage.data) != storage.crc) {
      fail_crc(storage);
    }
  }
}

}  // namespace iris
