#include "tensor_file/selection.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/members.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Entry;
using pickle::Kind;
using pickle::Value;

// A file may refer to one tensor, or to one long key, from many places. A name takes its length and some more bytes;
// what all of them take beyond the file's own size is limited to this.
constexpr std::uint64_t kMaxNames = 16 << 20;

constexpr std::array<std::string_view, 4> kUsualKeys = {"model_state_dict", "state_dict", "model_state", "model"};

bool holds_tensors_itself(const TensorFile& file, Value dict) {
  return std::ranges::any_of(file.document.entries(dict),
                             [&](const Entry& entry) { return file.tensor(entry.value) != nullptr; });
}

// The value under `key`, which may be several keys joined by dots.
const Value* find_path(const TensorFile& file, Value dict, std::string_view key) {
  if (const Value* found = file.document.find(dict, key)) {
    return found;
  }
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.', dot + 1)) {
    const Value* outer = file.document.find(dict, key.substr(0, dot));
    if (const Value* found = outer == nullptr ? nullptr : find_path(file, *outer, key.substr(dot + 1))) {
      return found;
    }
  }
  return nullptr;
}

// Of keys in a message. A longer one is cut there, and what it leads to is not looked at: one long key may stand at
// every level of a small file.
constexpr std::size_t kMostKeys = 20;
constexpr std::size_t kLongestKey = 200;

// An inner dictionary comes after the one that holds it. At most `room` entries are looked at, as one dictionary may be
// in a file many times.
void add_keys(const TensorFile& file, Value dict, const std::string& before, std::size_t& room,
              std::vector<std::string>& keys) {
  for (const auto& [name, value] : file.document.entries(dict)) {
    if (keys.size() == kMostKeys || room == 0) {
      return;
    }
    --room;
    if (name.kind != Kind::kString || !value.is_dict()) {
      continue;
    }
    const std::string key = before + key_text(file.document, name);
    if (holds_tensors_itself(file, value)) {
      keys.push_back(text::printable(key, kLongestKey));
    }
    if (key.size() <= kLongestKey) {
      add_keys(file, value, key + ".", room, keys);
    }
  }
}

// The keys of dictionaries of tensors that select_state_dict takes, for a message.
std::vector<std::string> keys_to_choose(const TensorFile& file) {
  std::vector<std::string> keys;
  std::size_t room = 1000;
  add_keys(file, file.root, "", room, keys);
  return keys;
}

// The root's own keys, for a message.
std::string root_keys(const TensorFile& file) {
  std::vector<std::string> keys;
  const auto entries = file.document.entries(file.root);
  for (std::size_t i = 0; i < std::min(entries.size(), kMostKeys); ++i) {
    keys.push_back(text::printable(key_text(file.document, entries[i].key), kLongestKey));
  }
  return text::joined(keys) + (entries.size() > kMostKeys ? ", …" : "");
}

// Time is bounded by Document::kMaxWalk: a name is put together only for a tensor. The recursion goes into the objects
// of a TorchScript archive, which are its modules, and into the value at hand if that is an object; no further.
class Collector {
 public:
  explicit Collector(const TensorFile& file)
      : file_(file), room_(kMaxNames + (file.file == nullptr ? 0 : file.file->bytes().size())) {}

  std::vector<NamedTensor> collect(Value value) {
    if (value.kind == Kind::kObject) {
      add_members(value);
    } else {
      add(value);
    }
    return std::move(found_);
  }

 private:
  void add(Value value) {
    ++steps_;
    require(steps_ <= pickle::Document::kMaxWalk, "the objects in it unfold to too many tensors");
    require(path_.size() <= pickle::Document::kMaxDepth, "its objects are nested too deep, or contain themselves");
    if (const TensorRecord* tensor = file_.tensor(value)) {
      found_.push_back({take_name(), tensor});
    } else if (value.kind != Kind::kObject) {
      add_members(value);
    } else if (file_.is_torchscript) {
      ++objects_;  // recursion that the path does not count
      require(objects_ <= pickle::Document::kMaxDepth, "its objects are nested too deep, or contain themselves");
      add(file_.document.state(value));
      --objects_;
    }
  }

  void add_members(Value value) {
    for (const auto& [key, inner] : members(file_.document, value)) {
      add_under(key, inner);
    }
  }

  void add_under(Value key, Value value) {
    path_.push_back(key);
    add(value);
    path_.pop_back();
  }

  std::string take_name() {
    std::string name;
    for (const Value key : path_) {
      name += (name.empty() ? "" : ".") + key_text(file_.document, key);
      require(name.size() + sizeof(NamedTensor) <= room_,
              "the names of its tensors take more memory than its size warrants");
    }
    room_ -= std::min<std::uint64_t>(room_, name.size() + sizeof(NamedTensor));
    return name;
  }

  const TensorFile& file_;
  std::uint64_t room_;
  std::uint64_t steps_ = 0;
  std::size_t objects_ = 0;
  std::vector<Value> path_;
  std::vector<NamedTensor> found_;
};

}  // namespace

Selection select_state_dict(const TensorFile& file, const std::optional<std::string>& key) {
  const Value root = file.root;
  if (key) {
    const Value* found = find_path(file, root, *key);
    if (found != nullptr && (found->is_dict() || found->kind == Kind::kObject)) {
      return {*key, *found};
    }
    const std::vector<std::string> keys = keys_to_choose(file);
    throw FormatError("there is no dictionary " + text::quoted(*key) + " in it; there " +
                          (keys.empty() ? "is none to choose from" : "are: " + text::joined(keys)),
                      {Choice::Of::kKey});
  }
  if (root.kind == Kind::kObject) {
    return {"", root};
  }
  if (!root.is_dict()) {
    throw FormatError("holds " + std::string(file.tensor(root) != nullptr ? "one tensor" : "no dictionary") +
                      ", not a state_dict; save one, in Python: torch.save(model.state_dict(), \"model.pt\")");
  }
  for (const std::string_view usual : kUsualKeys) {
    const Value* found = file.document.find(root, usual);
    if (found != nullptr && holds_tensors_itself(file, *found)) {
      return {std::string(usual), *found};
    }
  }
  if (holds_tensors_itself(file, root) || file.document.items(root).empty()) {
    return {"", root};
  }
  std::vector<Entry> inner_dicts;
  std::ranges::copy_if(file.document.entries(root), std::back_inserter(inner_dicts), [&](const Entry& entry) {
    return entry.key.kind == Kind::kString && holds_tensors_itself(file, entry.value);
  });
  if (inner_dicts.size() == 1) {
    return {key_text(file.document, inner_dicts[0].key), inner_dicts[0].value};
  }
  if (inner_dicts.empty()) {
    const std::vector<std::string> inner = keys_to_choose(file);
    if (inner.empty()) {
      throw FormatError("holds no dictionary of tensors; its keys are: " + root_keys(file));
    }
    throw FormatError("holds tensors in inner dictionaries only: " + text::joined(inner), {Choice::Of::kKey});
  }
  std::vector<std::string> names;
  for (const Entry& entry : inner_dicts) {
    names.push_back(text::printable(key_text(file.document, entry.key)));
  }
  throw FormatError("holds several state_dicts: " + text::joined(names), {Choice::Of::kKey});
}

std::vector<NamedTensor> named_tensors(const TensorFile& file, Value value) { return Collector(file).collect(value); }

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape) {
    sizes.push_back(std::to_string(size));
  }
  return "(" + text::joined(sizes) + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace iris
