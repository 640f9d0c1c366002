#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "error.h"
#include "io/byte_cursor.h"
#include "io/bytes.h"
#include "tensor_file/containers.h"
#include "tensor_file/file_kind.h"
#include "tensor_file/shard_folder.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

constexpr std::size_t kMostShards = 10'000;

// What the index may be: {"metadata": {…}, "weight_map": {NAME: SHARD, …}}. Whatever else it holds is passed over. A
// SAX handler keeps the order, and sees a name that comes twice.
class IndexReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<std::pair<std::string, std::string>> entries;  // a tensor's name and its shard

  bool start_object(std::size_t) override { return begin(); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override {
    require(!in_map_, "index: the weight_map is not of names and files");
    return begin();
  }
  bool end_array() override { return end(); }

  bool key(std::string& text) override {
    if (depth_ == 1) {
      in_map_ = text == "weight_map";
    } else if (depth_ == 2 && in_map_) {
      require(names_.emplace(text, 0).second, "index: the weight_map has the name " + text::quoted(text) + " twice");
      entries.emplace_back(text, "");
    }
    return true;
  }

  bool string(std::string& text) override {
    if (in_map_ && depth_ == 2) {
      entries.back().second = text;
      return true;
    }
    return value();
  }

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(std::int64_t) override { return value(); }
  bool number_unsigned(std::uint64_t) override { return value(); }
  bool number_float(double, const std::string&) override { return value(); }
  bool binary(nlohmann::json::binary_t&) override { return value(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw FormatError("index: is not JSON at its byte " + std::to_string(position) + "; was it cut?");
  }

 private:
  static void require(bool holds, const std::string& fact) {
    if (!holds) {
      throw FormatError(fact);
    }
  }

  bool begin() {
    require(!in_map_ || depth_ < 2, "index: the weight_map is not of names and files");
    require(depth_ < pickle::Document::kMaxDepth, "index: is nested too deep");
    ++depth_;
    return true;
  }

  bool end() {
    --depth_;
    in_map_ = in_map_ && depth_ > 1;
    return true;
  }

  bool value() {
    require(!in_map_, "index: the weight_map is not of names and files");
    return true;
  }

  std::size_t depth_ = 0;
  bool in_map_ = false;
  std::unordered_map<std::string, int> names_;
};

// One file of all shards' tensors.
class Joiner {
 public:
  explicit Joiner(TensorFile& file) : file_(file) {}

  // By name.
  using Tensors = std::unordered_map<std::string, Value>;

  // The tensors of the shard's root, which become the file's.
  Tensors add(const std::string& name, const TensorFile& shard) {
    require_plain(shard);
    const auto first_storage = static_cast<std::uint32_t>(file_.storages.size());
    file_.storages.insert(file_.storages.end(), shard.storages.begin(), shard.storages.end());
    file_.shards.push_back(shard.file);
    file_.container = shard.container;
    Tensors tensors;
    for (const auto& [key, value] : shard.document.entries(shard.root)) {
      const TensorRecord* tensor = shard.tensor(value);
      if (tensor == nullptr || key.kind != Kind::kString) {
        continue;
      }
      TensorRecord copy = *tensor;
      copy.storage += first_storage;
      const std::string tensor_name(shard.document.text(key));
      const auto [other, is_new] = shard_of_.emplace(tensor_name, name);
      if (!is_new) {
        throw FormatError("has the tensor " + text::quoted(tensor_name) + ", which is in shard " +
                          text::quoted(other->second) + " too");
      }
      tensors.emplace(tensor_name, file_.add(std::move(copy)));
    }
    return tensors;
  }

 private:
  static void require_plain(const TensorFile& shard) {
    if (shard.is_torchscript || !shard.root.is_dict()) {
      throw FormatError("is not a state_dict");
    }
  }

  TensorFile& file_;
  std::unordered_map<std::string, std::string> shard_of_;  // by tensor
};

}  // namespace

TensorFile read_sharded_file(std::shared_ptr<const FileBytes> bytes) {
  require(bytes->has_place(), "is an index, whose shards lie beside it; name the file");
  const std::string_view json = text_of(bytes->bytes());
  IndexReader index;
  nlohmann::json::sax_parse(json.begin(), json.end(), &index);
  require(!index.entries.empty(), "index: the weight_map is empty or not there");

  TensorFile file;
  file.file = bytes;
  const ShardFolder folder(bytes->path());
  Joiner joiner(file);
  std::map<std::string, Joiner::Tensors> shards;
  std::vector<Value> items;
  const auto add = [&](const std::string& name, Value tensor) {
    items.insert(items.end(), {file.document.add_text(Kind::kString, name), tensor});
  };
  for (const auto& [tensor_name, shard_name] : index.entries) {
    with_place("shard " + text::quoted(shard_name), [&, &tensor = tensor_name, &name = shard_name] {
      auto shard = shards.find(name);
      if (shard == shards.end()) {
        require(shards.size() < kMostShards, "is one of more than 10000");
        const auto shard_bytes = FileBytes::open(folder.path_of(name), bytes->reading());
        shard = shards
                    .emplace(name, read_whole(*shard_bytes,
                                              [&] {
                                                const OpenedFile opened(shard_bytes);
                                                require(opened.kind != FileKind::kIndex, "is an index itself");
                                                return joiner.add(name, read_tensor_file(opened));
                                              }))
                    .first;
      }
      const auto found = shard->second.find(tensor);
      if (found == shard->second.end()) {
        throw FormatError("lacks the tensor " + text::quoted(tensor) + ", which the index says is in it");
      }
      add(tensor, found->second);
    });
  }
  // What the index does not name comes last.
  std::unordered_map<std::string_view, bool> named;
  for (const auto& [tensor, shard] : index.entries) {
    named.emplace(tensor, true);
  }
  for (const auto& [shard, tensors] : shards) {
    const std::map<std::string, Value> sorted(tensors.begin(), tensors.end());
    for (const auto& [tensor, value] : sorted) {
      if (!named.contains(tensor)) {
        add(tensor, value);
      }
    }
  }
  file.root = file.document.add_items(Kind::kOrderedDict, std::move(items), 0);
  return file;
}

}  // namespace iris
