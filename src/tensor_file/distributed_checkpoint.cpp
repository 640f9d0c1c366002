#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/containers.h"
#include "tensor_file/file_kind.h"
#include "tensor_file/foreign_file.h"
#include "tensor_file/members.h"
#include "tensor_file/shard_folder.h"
#include "tensor_file/torch_globals.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;
using Sizes = std::vector<std::int64_t>;

constexpr std::size_t kMaxRank = 64;
constexpr std::size_t kMostChunks = 10'000;  // of a tensor
constexpr std::size_t kLongestPath = 100;    // of keys

[[noreturn]] void fail(const std::string& fact) { throw FormatError(fact + "; " + kDistributedWayOut); }

// The pickled Metadata, as data (torch/distributed/checkpoint/metadata.py).
class MetadataReader {
 public:
  explicit MetadataReader(const pickle::Document& document) : document_(document) {}

  Value attribute(Value object, std::string_view name) const {
    const Value* found = document_.find(attributes(document_, object), name);
    return found == nullptr ? Value{} : *found;
  }

  std::string text(Value object, std::string_view name) const {
    const Value value = attribute(object, name);
    if (value.kind != Kind::kString) {
      fail(".metadata: " + std::string(name) + " is not a text");
    }
    return std::string(document_.text(value));
  }

  std::uint64_t number(Value object, std::string_view name) const {
    const Value value = attribute(object, name);
    if (value.kind != Kind::kInt || value.integer < 0) {
      fail(".metadata: " + std::string(name) + " is not a number");
    }
    return static_cast<std::uint64_t>(value.integer);
  }

  // torch.Size((…)); nullopt where there is none.
  std::optional<Sizes> sizes(Value object, std::string_view name) const {
    Value value = attribute(object, name);
    if (value.kind == Kind::kNone) {
      return std::nullopt;
    }
    if (value.kind == Kind::kCall && document_.items(value).size() == 2) {
      value = document_.items(value)[1];
    }
    const bool is_list = value.kind == Kind::kTuple || value.kind == Kind::kList;
    const auto items = is_list ? document_.items(value) : std::span<const Value>();
    Sizes sizes;
    for (const Value item : items) {
      sizes.push_back(item.kind == Kind::kInt ? item.integer : -1);
    }
    if (!is_list || sizes.size() > kMaxRank || std::ranges::any_of(sizes, [](auto size) { return size < 0; })) {
      fail(".metadata: " + std::string(name) + " is not of sizes");
    }
    return sizes;
  }

 private:
  const pickle::Document& document_;
};

// Where a value's bytes are: in one of the files, torch.save's zip of a tensor or of another object.
struct Place {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

std::int64_t numel_of(const Sizes& sizes) {
  std::int64_t numel = 1;
  for (const std::int64_t size : sizes) {
    if (size != 0 && numel > std::numeric_limits<std::int64_t>::max() / 16 / size) {
      fail("a tensor's shape overflows");
    }
    numel *= size;
  }
  return numel;
}

// Copies what a reader of its own made of a part into the whole.
class Copier {
 public:
  Copier(const TensorFile& from, TensorFile& to) : from_(from), to_(to) {
    first_storage_ = static_cast<std::uint32_t>(to.storages.size());
    to.storages.insert(to.storages.end(), from.storages.begin(), from.storages.end());
  }

  // Objects become the names of their classes. The depth is that of the part, at most Document::kMaxDepth.
  Value copy(Value value) {
    if (const TensorRecord* tensor = from_.tensor(value)) {
      TensorRecord record = *tensor;
      record.storage += first_storage_;
      return to_.add(std::move(record));
    }
    if (value.kind < Kind::kExternal) {
      return value;
    }
    if (!value.has_items()) {
      const std::string text(from_.document.text(value));
      return value.kind == Kind::kGlobal ? to_.document.add_global(text, false)
                                         : to_.document.add_text(value.kind, text);
    }
    if (const auto known = copies_.find(value.index); known != copies_.end()) {
      return known->second;
    }
    if (value.kind == Kind::kObject || value.kind == Kind::kPersistentId) {
      const std::string name(value.kind == Kind::kObject ? class_of(from_.document, value) : "torch.storage");
      const Value none = to_.document.add_items(Kind::kTuple, {}, 0);
      return to_.document.add_object(to_.document.add_global(name, true), none, Value{}, 0);
    }
    std::vector<Value> items;
    for (const Value item : from_.document.items(value)) {
      items.push_back(copy(item));
    }
    const Value made = to_.document.add_items(value.kind, std::move(items), 0);
    if (const Value state = from_.document.state(value); state.kind != Kind::kNone) {
      to_.document.set_state(made, copy(state));
    }
    copies_.emplace(value.index, made);
    return made;
  }

 private:
  const TensorFile& from_;
  TensorFile& to_;
  std::uint32_t first_storage_ = 0;
  std::unordered_map<std::uint32_t, Value> copies_;
};

// The files of the folder.
class Parts {
 public:
  Parts(const std::string& metadata, FileBytes::Reading reading, TensorFile& file)
      : folder_(metadata), reading_(reading), file_(file) {}

  TensorFile read(const Place& place) {
    return with_place("file " + text::quoted(place.file), [&] {
      const auto& bytes = open(place.file);
      const auto all = bytes->bytes();
      if (place.offset > all.size() || place.length > all.size() - place.offset) {
        throw FormatError("is shorter than .metadata says; it was cut");
      }
      const auto part = all.subspan(place.offset, place.length);
      if (kind_of_file(part) != FileKind::kZip) {
        fail("has a value that torch.save did not write");
      }
      return with_place("offset " + std::to_string(place.offset),
                        [&] { return read_whole(*bytes, [&] { return read_zip_container(ZipReader(part), bytes); }); });
    });
  }

  // Bytes of all files that were opened.
  std::uint64_t size() const { return size_; }

 private:
  const std::shared_ptr<const FileBytes>& open(const std::string& name) {
    const auto found = files_.find(name);
    if (found != files_.end()) {
      return found->second;
    }
    auto bytes = FileBytes::open(folder_.path_of(name), reading_);
    size_ += bytes->bytes().size();
    file_.shards.push_back(bytes);
    return files_.emplace(name, std::move(bytes)).first->second;
  }

  ShardFolder folder_;
  FileBytes::Reading reading_;
  TensorFile& file_;
  std::map<std::string, std::shared_ptr<const FileBytes>> files_;
  std::uint64_t size_ = 0;
};

struct Chunk {
  Sizes offsets;
  Sizes sizes;
};

bool overlap(const Chunk& one, const Chunk& other) {
  for (std::size_t i = 0; i < one.sizes.size(); ++i) {
    if (one.offsets[i] + one.sizes[i] <= other.offsets[i] || other.offsets[i] + other.sizes[i] <= one.offsets[i]) {
      return false;
    }
  }
  return true;
}

// Puts a chunk's elements, in row-major order, in their places in the whole.
void place_chunk(const Chunk& chunk, const Sizes& whole, std::size_t element, const std::byte* from, std::byte* to) {
  const std::size_t rank = whole.size();
  const auto run = static_cast<std::size_t>(chunk.sizes[rank - 1]) * element;
  Sizes index(rank, 0);
  while (true) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      at = at * static_cast<std::size_t>(whole[i]) + static_cast<std::size_t>(chunk.offsets[i] + index[i]);
    }
    std::memcpy(to + at * element, from, run);
    from += run;
    std::size_t dimension = rank - 1;
    do {
      if (dimension == 0) {
        return;
      }
      --dimension;
      ++index[dimension];
    } while (index[dimension] == chunk.sizes[dimension] && (index[dimension] = 0, true));
  }
}

// The dictionaries and lists that the flattened names came from.
class Tree {
 public:
  using Key = std::variant<std::int64_t, std::string>;

  void add(const std::vector<Key>& path, Value value) {
    std::size_t at = 0;
    for (const Key& key : path) {
      if (nodes_[at].value) {
        fail("a name is a value and a dictionary");
      }
      const auto [place, is_new] = nodes_[at].children.emplace(key, nodes_.size());
      const std::size_t next = place->second;
      if (is_new) {
        nodes_[at].order.push_back(key);
        nodes_.emplace_back();  // `place` is of the old nodes
      }
      at = next;
    }
    if (nodes_[at].value || !nodes_[at].order.empty()) {
      fail("a name is there twice");
    }
    nodes_[at].value = value;
  }

  Value made_in(pickle::Document& document, std::size_t number = 0) const {
    const Node& node = nodes_[number];
    if (node.value) {
      return *node.value;
    }
    std::vector<Value> items;
    std::int64_t next = 0;  // in the children's order, integers come first
    const bool is_list = !node.order.empty() && std::ranges::all_of(node.children, [&](const auto& child) {
      return child.first == Key(next++);
    });
    if (is_list) {
      for (const auto& [key, child] : node.children) {
        items.push_back(made_in(document, child));
      }
      return document.add_items(Kind::kList, std::move(items), 0);
    }
    for (const Key& key : node.order) {
      const auto* name = std::get_if<std::string>(&key);
      items.push_back(name != nullptr ? document.add_text(Kind::kString, *name)
                                      : Value::of_int(std::get<std::int64_t>(key)));
      items.push_back(made_in(document, node.children.at(key)));
    }
    return document.add_items(Kind::kDict, std::move(items), 0);
  }

 private:
  struct Node {
    std::optional<Value> value;
    std::map<Key, std::size_t> children;
    std::vector<Key> order;
  };
  std::vector<Node> nodes_ = std::vector<Node>(1);
};

class CheckpointReader {
 public:
  explicit CheckpointReader(std::shared_ptr<const FileBytes> bytes) : parts_(bytes->path(), bytes->reading(), file_) {
    file_.file = std::move(bytes);
  }

  TensorFile read() {
    ByteCursor cursor(file_.file->bytes());
    const Value root =
        with_place(".metadata", [&] { return pickle::read_pickle(cursor, use_of_torch_global, metadata_); });
    read_places(reader_.attribute(root, "storage_data"));
    const Value planned = reader_.attribute(root, "planner_data");
    std::unordered_map<std::string_view, Value> paths;
    for (const auto& [name, path] : metadata_.entries(planned)) {
      if (name.kind == Kind::kString) {
        paths.emplace(metadata_.text(name), path);
      }
    }
    const auto entries = metadata_.entries(reader_.attribute(root, "state_dict_metadata"));
    if (entries.empty()) {
      fail(".metadata: names no tensors");
    }
    Tree tree;
    for (const auto& [key, description] : entries) {
      if (key.kind != Kind::kString) {
        fail(".metadata: a name is not a text");
      }
      const std::string_view name = metadata_.text(key);
      const auto path = paths.find(name);
      tree.add(path == paths.end() ? std::vector<Tree::Key>{std::string(name)} : keys_of(path->second),
               with_place("value " + text::quoted(name), [&, &its = description] { return value_of(name, its); }));
    }
    file_.root = tree.made_in(file_.document);
    file_.document.finish(file_.root);
    return std::move(file_);
  }

 private:
  void read_places(Value storage_data) {
    for (const auto& [index, info] : metadata_.entries(storage_data)) {
      const Value transforms = reader_.attribute(info, "transform_descriptors");
      if (transforms.has_items() && !metadata_.items(transforms).empty()) {
        fail(".metadata: its values are compressed or otherwise transformed");
      }
      places_[reader_.text(index, "fqn")].emplace_back(
          reader_.sizes(index, "offset"),
          Place{reader_.text(info, "relative_path"), reader_.number(info, "offset"), reader_.number(info, "length")});
    }
  }

  std::vector<Tree::Key> keys_of(Value path) const {
    const bool is_tuple = path.kind == Kind::kTuple || path.kind == Kind::kList;
    const auto items = is_tuple ? metadata_.items(path) : std::span<const Value>();
    std::vector<Tree::Key> keys;
    for (const Value item : items) {
      if (item.kind == Kind::kString) {
        keys.emplace_back(std::string(metadata_.text(item)));
      } else if (item.kind == Kind::kInt) {
        keys.emplace_back(item.integer);
      }
    }
    if (keys.size() != items.size() || keys.empty() || keys.size() > kLongestPath) {
      fail(".metadata: planner_data has a path that is not of names and numbers");
    }
    return keys;
  }

  Value value_of(std::string_view name, Value description) {
    const auto found = places_.find(name);
    if (found == places_.end()) {
      fail("is in no file");
    }
    const std::string_view kind = description.kind == Kind::kObject ? class_of(metadata_, description) : "";
    if (kind.ends_with(".BytesStorageMetadata")) {
      const TensorFile part = parts_.read(found->second.front().second);
      return Copier(part, file_).copy(part.root);
    }
    if (!kind.ends_with(".TensorStorageMetadata")) {
      fail("is of a kind that is not known");
    }
    const std::optional<Sizes> size = reader_.sizes(description, "size");
    const Value chunks = reader_.attribute(description, "chunks");
    if (!size || chunks.kind != Kind::kList) {
      fail("has no size or no chunks");
    }
    const auto items = metadata_.items(chunks);
    if (items.size() == 1) {
      return single_chunk(*size, found->second.front().second);
    }
    return joined_chunks(*size, items, found->second);
  }

  // A view of the file, as of any other.
  Value single_chunk(const Sizes& size, const Place& place) {
    const TensorFile part = parts_.read(place);
    const TensorRecord* tensor = part.tensor(part.root);
    if (tensor == nullptr || tensor->shape != size) {
      fail("is not the tensor that .metadata describes");
    }
    return Copier(part, file_).copy(part.root);
  }

  Value joined_chunks(const Sizes& size, std::span<const Value> descriptions,
                      const std::vector<std::pair<std::optional<Sizes>, Place>>& places) {
    std::vector<Chunk> chunks;
    std::int64_t sum = 0;
    for (const Value description : descriptions) {
      const auto offsets = reader_.sizes(description, "offsets");
      const auto sizes = reader_.sizes(description, "sizes");
      bool fits = offsets && sizes && offsets->size() == size.size() && sizes->size() == size.size() && !size.empty();
      for (std::size_t i = 0; fits && i < size.size(); ++i) {
        fits = (*sizes)[i] <= size[i] && (*offsets)[i] <= size[i] - (*sizes)[i];
      }
      if (!fits) {
        fail("has a chunk that lies outside it");
      }
      sum += numel_of(*sizes);
      chunks.push_back({*offsets, *sizes});
    }
    const std::int64_t numel = numel_of(size);
    if (chunks.size() > kMostChunks || sum != numel) {
      fail("has chunks that are not all of it");
    }
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (overlap(chunks[i], chunks[j])) {
          fail("has chunks that overlap");
        }
      }
    }
    std::optional<DType> dtype;
    std::shared_ptr<std::vector<std::byte>> whole;
    bool requires_grad = false;
    for (const Chunk& chunk : chunks) {
      const auto place =
          std::ranges::find(places, std::optional(chunk.offsets), [](const auto& each) { return each.first; });
      if (place == places.end()) {
        fail("has a chunk in no file");
      }
      const TensorFile part = parts_.read(place->second);
      const TensorRecord* tensor = part.tensor(part.root);
      if (tensor == nullptr || tensor->shape != chunk.sizes || !tensor->is_contiguous() || tensor->is_conj ||
          tensor->is_neg || (dtype && *dtype != tensor->dtype)) {
        fail("has a chunk that is not the tensor that .metadata describes");
      }
      const std::size_t element = size_of(tensor->dtype);
      if (!dtype) {
        dtype = tensor->dtype;
        requires_grad = tensor->requires_grad;
        const std::uint64_t bytes = static_cast<std::uint64_t>(numel) * element;
        joined_ += bytes;
        if (joined_ > size_of_all_files(places)) {
          fail("is larger than the files");
        }
        whole = std::make_shared<std::vector<std::byte>>(bytes);
      }
      if (numel_of(chunk.sizes) != 0) {
        const auto data =
            part.storages[tensor->storage].data.subspan(static_cast<std::size_t>(tensor->offset) * element);
        place_chunk(chunk, size, element, data.data(), whole->data());
      }
    }
    if (!dtype) {
      fail("has no chunks");
    }
    TensorRecord record;
    record.dtype = *dtype;
    record.shape = size;
    record.strides.assign(size.size(), 1);
    for (std::size_t i = size.size() - 1; i-- > 0;) {
      record.strides[i] = record.strides[i + 1] * std::max<std::int64_t>(size[i + 1], 1);
    }
    record.requires_grad = requires_grad;
    record.storage = static_cast<std::uint32_t>(file_.storages.size());
    StorageRecord storage;
    storage.key = std::to_string(record.storage);
    storage.location = "cpu";
    storage.dtype = dtype;
    storage.size = whole->size();
    storage.data = *whole;
    storage.word_size = word_size_of(*dtype);
    storage.owner = std::move(whole);
    check_tensor(record, storage.size);
    file_.storages.push_back(std::move(storage));
    return file_.add(std::move(record));
  }

  // First opens the files that the tensor's chunks lie in, so that no tensor is made that is larger than all of them.
  std::uint64_t size_of_all_files(const std::vector<std::pair<std::optional<Sizes>, Place>>& places) {
    for (const auto& [offset, place] : places) {
      parts_.read(place);
    }
    return parts_.size();
  }

  TensorFile file_;
  pickle::Document metadata_;
  MetadataReader reader_{metadata_};
  Parts parts_;
  std::map<std::string, std::vector<std::pair<std::optional<Sizes>, Place>>, std::less<>> places_;
  std::uint64_t joined_ = 0;  // bytes
};

}  // namespace

TensorFile read_distributed_checkpoint(std::shared_ptr<const FileBytes> metadata) {
  require(metadata->has_place(), "is the .metadata of a folder, whose files lie beside it; name the folder");
  return CheckpointReader(std::move(metadata)).read();
}

}  // namespace iris
