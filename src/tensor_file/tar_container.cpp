#include <map>
#include <optional>
#include <string>

#include "error.h"
#include "pickle/literals.h"
#include "tensor_file/containers.h"
#include "tensor_file/foreign_file.h"
#include "tensor_file/tar_reader.h"
#include "tensor_file/torch_globals.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// The container of PyTorch before 0.1.10 (torch/serialization.py, legacy_load): entries storages, tensors and pickle.
class TarContainer {
 public:
  TarContainer(const TarReader& tar, TensorFile& file) : tar_(tar), file_(file) {}

  void read() {
    with_place("storages", [&] { read_storages(); });
    with_place("tensors", [&] { read_tensors(); });
    with_place("pickle", [&] {
      ByteCursor cursor = tar_.entry("pickle");
      file_.root = take_pickle(cursor);
      cursor.require(cursor.remaining() == 0, "there are bytes after the pickle");
      put_tensors_in_place();
      resolve_tensors(file_);
    });
  }

 private:
  Value take_pickle(ByteCursor& cursor) { return pickle::read_pickle(cursor, use_of_torch_global, file_.document); }

  std::int64_t take_count(ByteCursor& cursor) {
    const Value count = take_pickle(cursor);
    cursor.require(count.kind == Kind::kInt && count.integer >= 0, "a count is not a number");
    return count.integer;
  }

  // The parts of a tuple of three.
  std::span<const Value> take_three(ByteCursor& cursor) {
    const Value tuple = take_pickle(cursor);
    const auto parts = tuple.kind == Kind::kTuple ? file_.document.items(tuple) : std::span<const Value>();
    cursor.require(parts.size() == 3, "a record is not a tuple of three");
    return parts;
  }

  // A pickled count; for each storage (key, location, type), the number of its elements and these; views of storages.
  void read_storages() {
    ByteCursor cursor = tar_.entry("storages");
    for (std::int64_t left = take_count(cursor); left > 0; --left) {
      const auto parts = take_three(cursor);
      const auto& document = file_.document;
      StorageRecord storage;
      storage.dtype = dtype_of(parts[2], "Storage");
      cursor.require(storage.dtype.has_value(), "a storage's type is unknown");
      storage.key = key_of(cursor, parts[0]);
      storage.location = parts[1].kind == Kind::kString ? document.text(parts[1]).substr(0, 64) : "cpu";
      const auto count = cursor.take<std::uint64_t>();
      cursor.require(count <= cursor.remaining() / size_of(*storage.dtype), "a storage reaches past the end");
      storage.size = count * size_of(*storage.dtype);
      storage.word_size = word_size_of(*storage.dtype);
      const auto index = static_cast<std::uint32_t>(file_.storages.size());
      cursor.require(storages_.emplace(storage.key, index).second, "two storages have one key");
      file_.storages.push_back(std::move(storage));
      attach_data(file_, index, cursor.take_bytes(file_.storages[index].size), /*is_big_endian=*/false);
    }
    read_views(cursor);
  }

  // [(key, key of the storage that it lies in, offset, size)].
  void read_views(ByteCursor& cursor) {
    const Value views = take_pickle(cursor);
    cursor.require(views.kind == Kind::kList, "the views of storages are not a list");
    for (const Value view : file_.document.items(views)) {
      const auto parts = view.kind == Kind::kTuple ? file_.document.items(view) : std::span<const Value>();
      cursor.require(parts.size() == 4 && parts[2].kind == Kind::kInt && parts[2].integer >= 0,
                     "a view of a storage is not a tuple of four");
      const auto root = storages_.find(key_of(cursor, parts[1]));
      cursor.require(root != storages_.end(), "a view is of a storage that is missing");
      views_[key_of(cursor, parts[0])] = {root->second, parts[2].integer};
    }
  }

  // A pickled count; for each tensor (key, its storage's key, type), then numbers: the rank (4 bytes), 4 bytes of
  // nothing, sizes, strides and the offset (8 bytes each).
  void read_tensors() {
    ByteCursor cursor = tar_.entry("tensors");
    for (std::int64_t left = take_count(cursor); left > 0; --left) {
      const auto parts = take_three(cursor);
      const std::string key = key_of(cursor, parts[0]);
      const std::optional<DType> dtype = dtype_of(parts[2], "Tensor");
      TensorRecord tensor;
      const auto rank = cursor.take<std::int32_t>();
      cursor.take<std::int32_t>();
      cursor.require(rank >= 0 && rank <= kMaxRank, "a tensor has an impossible number of dimensions");
      for (auto* numbers : {&tensor.shape, &tensor.strides}) {
        for (std::int32_t i = 0; i < rank; ++i) {
          numbers->push_back(cursor.take<std::int64_t>());
          cursor.require(numbers->back() >= 0, "a tensor has a negative size or stride");
        }
      }
      tensor.offset = cursor.take<std::int64_t>();
      cursor.require(dtype.has_value(), "a tensor's type is unknown");
      cursor.require(tensor.offset >= 0, "a tensor has a negative offset");
      tensor.dtype = *dtype;
      if (rank == 0) {  // of no elements, before PyTorch 0.4
        tensor.shape = {0};
        tensor.strides = {1};
      }
      if (parts[1].kind == Kind::kNone) {
        continue;  // never had a storage
      }
      place(cursor, key_of(cursor, parts[1]), tensor);
      const StorageRecord& storage = file_.storages[tensor.storage];
      cursor.require(storage.dtype == tensor.dtype, "a tensor lies in a storage of another type");
      check_tensor(tensor, storage.size);
      cursor.require(tensors_.emplace(key, file_.add(std::move(tensor))).second, "two tensors have one key");
    }
    cursor.require(cursor.remaining() == 0, "there are bytes after the last tensor");
  }

  void place(const ByteCursor& cursor, const std::string& storage, TensorRecord& tensor) const {
    const auto view = views_.find(storage);
    const auto found = storages_.find(storage);
    if (view != views_.end()) {
      cursor.require(tensor.offset <= std::numeric_limits<std::int64_t>::max() - view->second.offset,
                     "a tensor's offset overflows");
      tensor.offset += view->second.offset;
      tensor.storage = view->second.storage;
    } else if (found != storages_.end()) {
      tensor.storage = found->second;
    } else {
      cursor.fail("storage " + text::quoted(storage) + " is missing, though a tensor lies in it");
    }
  }

  // A persistent id is a tensor's key, as text.
  void put_tensors_in_place() {
    pickle::Document& document = file_.document;
    const auto replaced = [&](Value value) {
      if (value.kind != Kind::kPersistentId) {
        return value;
      }
      const Value id = document.items(value)[0];
      const auto found =
          id.kind == Kind::kString ? tensors_.find(std::string(document.text(id).substr(0, kMaxKey))) : tensors_.end();
      require_at(document.offset(value), found != tensors_.end(), "a persistent id is of no tensor");
      return found->second;
    };
    for (std::size_t i = 0; i < document.container_count(); ++i) {
      const Value container = document.container(i);
      for (Value& item : document.items(container)) {
        item = replaced(item);
      }
      document.set_state(container, replaced(document.state(container)));
    }
    file_.root = replaced(file_.root);
  }

  // torch.FloatStorage, torch.cuda.FloatTensor.
  std::optional<DType> dtype_of(Value type, std::string_view ending) const {
    const std::string_view qualified = type.kind == Kind::kGlobal ? file_.document.text(type) : std::string_view();
    const std::optional<std::string_view> name = torch_name(qualified);
    if (!name || !name->ends_with(ending)) {
      return std::nullopt;
    }
    return dtype_of_storage_class(std::string(name->substr(0, name->size() - ending.size())) + "Storage");
  }

  // Numbers in one place, texts of them in another.
  std::string key_of(const ByteCursor& cursor, Value key) const {
    cursor.require(key.kind == Kind::kInt || key.kind == Kind::kString, "a key is not a number");
    return key.kind == Kind::kInt ? std::to_string(key.integer)
                                  : std::string(file_.document.text(key).substr(0, kMaxKey));
  }

  struct View {
    std::uint32_t storage = 0;
    std::int64_t offset = 0;
  };
  static constexpr std::int32_t kMaxRank = 64;
  static constexpr std::size_t kMaxKey = 32;

  const TarReader& tar_;
  TensorFile& file_;
  std::map<std::string, std::uint32_t> storages_;
  std::map<std::string, View> views_;
  std::map<std::string, Value> tensors_;
};

}  // namespace

TensorFile read_tar_container(std::shared_ptr<const FileBytes> bytes) {
  TensorFile file;
  file.container = Container::kTar;
  file.file = std::move(bytes);
  const TarReader tar(file.file->bytes());
  if (!tar.has("pickle") || !tar.has("tensors") || !tar.has("storages")) {
    throw FormatError(describe_foreign_tar(tar.names()));
  }
  TarContainer(tar, file).read();
  return file;
}

}  // namespace iris
