#include "tensor_file/selection.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/candidates.h"
#include "tensor_file/members.h"
#include "tensor_file/tensor_holders.h"
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

constexpr std::size_t kMostKeys = 20;
constexpr std::size_t kLongestKey = 200;
// Of an unknown function's, that are looked at for a tensor or a storage.
constexpr std::size_t kMostArguments = 8;

bool is_dictionary(Value value) { return value.is_dict() || value.kind == Kind::kObject; }

std::string joined_key(const TensorFile& file, const std::vector<Value>& path) {
  std::string key;
  for (const Value part : path) {
    key += (key.empty() ? "" : ".") + key_text(file.document, part);
    require(key.size() <= kMaxNames, "the key of its dictionary of tensors is longer than 16 MiB");
  }
  return key;
}

// The keys that lead from `value` to what `key` names: one key, or several joined by dots. Empty: there is none.
std::vector<Value> find_path(const TensorFile& file, Value value, std::string_view key, Value& found) {
  std::vector<Entry> entries = members(file.document, value);
  const auto of_text = [&](std::string_view text) {
    const auto is_text = [&](const Entry& entry) {
      return entry.key.kind == Kind::kString && file.document.text(entry.key) == text;
    };
    const auto reads_as_it = [&](const Entry& entry) {
      return entry.key.kind != Kind::kString && key_text(file.document, entry.key) == text;
    };
    const auto exact = std::ranges::find_if(entries, is_text);
    return exact != entries.end() ? exact : std::ranges::find_if(entries, reads_as_it);
  };
  if (const auto entry = of_text(key); entry != entries.end()) {
    found = entry->value;
    return {entry->key};
  }
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.', dot + 1)) {
    if (const auto entry = of_text(key.substr(0, dot)); entry != entries.end()) {
      const Entry outer = *entry;
      std::vector<Value> path = find_path(file, outer.value, key.substr(dot + 1), found);
      if (!path.empty()) {
        path.insert(path.begin(), outer.key);
        return path;
      }
    }
  }
  return {};
}

// The root's own keys, for a message.
std::string root_keys(const TensorFile& file) {
  std::vector<std::string> keys;
  const auto entries = members(file.document, file.root);
  for (std::size_t i = 0; i < std::min(entries.size(), kMostKeys); ++i) {
    keys.push_back(text::printable(key_text(file.document, entries[i].key), kLongestKey));
  }
  return text::joined(keys) + (entries.size() > kMostKeys ? ", …" : "");
}

Selection selected(const TensorFile& file, std::vector<Value> path, Value dict) {
  return {joined_key(file, path), std::move(path), dict};
}

Selection select_by_key(const TensorFile& file, const std::string& key) {
  if (key == "." && is_dictionary(file.root)) {
    return {"", {}, file.root};
  }
  Value found;
  std::vector<Value> path = find_path(file, file.root, key, found);
  if (!path.empty() && is_dictionary(found)) {
    return selected(file, std::move(path), found);
  }
  const Candidates candidates(file);
  const std::string keys = candidates.shown_keys(candidates.inner(/*are_models=*/false));
  throw FormatError("there is no dictionary " + text::quoted(key) + " in it; there " +
                        (keys.empty() ? "is none to choose from" : "are: " + keys),
                    {Choice::Of::kKey});
}

// Time is bounded by the names that there is room for, as only what holds tensors is entered. The recursion goes into
// the value at hand if that is an object, and into no other.
class Collector {
 public:
  explicit Collector(const TensorFile& file)
      : file_(file),
        holders_(file, TensorHolders::Way::kPlain),
        room_(kMaxNames + (file.file == nullptr ? 0 : file.file->bytes().size())) {}

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
      const bool is_own_name = path_.size() == 1 && path_[0].kind == Kind::kString;
      found_.push_back({take_name(), tensor, std::ranges::all_of(path_, is_name), is_own_name});
    } else if (holders_.holds(value)) {
      add_members(value);
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
  TensorHolders holders_;
  std::uint64_t room_;
  std::uint64_t steps_ = 0;
  std::vector<Value> path_;
  std::vector<NamedTensor> found_;
};

}  // namespace

std::vector<std::string> state_dict_keys(const TensorFile& file) {
  const Candidates candidates(file);
  std::vector<std::string> keys;
  for (const std::size_t node : candidates.inner(/*are_models=*/true)) {
    if (keys.size() < kMostKeys) {
      keys.push_back(candidates.shown_key(node));
    }
  }
  return keys;
}

Selection select_state_dict(const TensorFile& file, const std::optional<std::string>& key) {
  const Value root = file.root;
  if (key) {
    return select_by_key(file, *key);
  }
  if (file.is_torchscript && root.is_dict()) {
    return {"", {}, root};
  }
  const Candidates candidates(file);
  const auto take = [&](std::size_t node) { return selected(file, candidates.path(node), candidates.value(node)); };
  const Candidates::Nodes inner = candidates.inner(/*are_models=*/true);
  for (const std::string_view usual : kUsualKeys) {
    const std::size_t member = candidates.root_member(usual);
    const Candidates::Nodes within = member == 0 ? Candidates::Nodes() : candidates.within(member, inner);
    if (!within.empty() && (within.size() == 1 || within[0] == member)) {
      return take(within[0]);
    }
  }
  if (inner.size() == 1) {
    return take(inner[0]);
  }
  if (inner.size() > 1) {
    throw FormatError("holds several state_dicts: " + candidates.shown_keys(inner), {Choice::Of::kKey});
  }
  if (candidates.root_holds_tensors() || (root.is_dict() && file.document.items(root).empty())) {
    return {"", {}, root};
  }
  const std::string others = candidates.shown_keys(candidates.inner(/*are_models=*/false));
  if (!others.empty()) {
    throw FormatError("holds no state_dict of a model; other dictionaries of tensors are: " + others,
                      {Choice::Of::kKey});
  }
  if (root.kind == Kind::kObject) {
    throw FormatError("holds an object of " + text::printable(class_of(file.document, root)) +
                      " without a dictionary of tensors; save the model's, in Python: "
                      "torch.save(model.state_dict(), \"model.pt\")");
  }
  if (!root.is_dict()) {
    throw FormatError("holds " + std::string(file.tensor(root) != nullptr ? "one tensor" : "no dictionary") +
                      ", not a state_dict; save one, in Python: torch.save(model.state_dict(), \"model.pt\")");
  }
  throw FormatError("holds no dictionary of tensors; its keys are: " + root_keys(file));
}

std::string_view last_part(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

// By its spelling, as classes begin with a capital; partial and getattr make no tensors.
bool is_function(std::string_view name) {
  const std::string_view last = last_part(name);
  return !last.empty() && (last[0] == '_' || (last[0] >= 'a' && last[0] <= 'z')) && name != "functools.partial" &&
         name != "builtins.getattr" && !name.starts_with("collections.") && !name.starts_with("builtins.");
}

// torch's own functions of one tensor: _rebuild_qtensor, _rebuild_sparse_tensor, _load_from_bytes, …
bool makes_tensors(std::string_view name) {
  const std::string_view last = last_part(name);
  return name.starts_with("torch.") &&
         (last.starts_with("_rebuild") || last == "_load_from_bytes" || last == "Parameter" || name == "torch.load");
}

std::string why_no_tensor(const TensorFile& file, Value value) {
  const pickle::Document& document = file.document;
  if (value.kind == Kind::kCall) {
    const std::string name(document.text(document.items(value)[0]));
    return makes_tensors(name) ? "is made by " + name + " of what is not known" : "";
  }
  if (value.kind != Kind::kObject) {
    return "";
  }
  const pickle::Object object = document.object(value);
  const std::string name(document.text(object.name));
  const auto arguments = document.items(object.arguments);
  const auto is_storage = [](Value argument) { return argument.kind == Kind::kPersistentId; };
  const auto is_tensor = [](Value argument) { return argument.kind == Kind::kExternal; };
  const auto first = arguments.first(std::min(arguments.size(), kMostArguments));
  const bool is_of_data =
      std::ranges::any_of(first, is_storage) || (is_function(name) && std::ranges::any_of(first, is_tensor));
  if (!makes_tensors(name) && !is_of_data) {
    return "";
  }
  const std::string fact = "is made by " + text::printable(name) + ", which is not computed";
  if (name == "torch._utils._rebuild_qtensor") {
    return fact +
           ": it is quantized; save it dequantized, in Python: torch.save({name: t.dequantize() if t.is_quantized "
           "else t for name, t in state_dict.items()}, \"model.pt\")";
  }
  if (name == "torch._utils._rebuild_sparse_tensor") {
    return fact +
           ": it is sparse; save it dense, in Python: torch.save({name: t.to_dense() if t.is_sparse else t for "
           "name, t in state_dict.items()}, \"model.pt\")";
  }
  return fact;
}

void require_all_tensors(const TensorFile& file, Value dict) {
  for (const auto& [key, value] : members(file.document, dict)) {
    if (const std::string reason = why_no_tensor(file, value); !reason.empty()) {
      throw FormatError("tensor " + text::quoted(key_text(file.document, key)) + " " + reason);
    }
  }
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
