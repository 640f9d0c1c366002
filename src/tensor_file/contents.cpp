#include "tensor_file/contents.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <unordered_set>
#include <utility>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/members.h"
#include "tensor_file/tensor_holders.h"
#include "text.h"

namespace iris {

using pickle::Kind;
using pickle::Value;

namespace {

constexpr std::size_t kLongestPrefix = 1000;

// The very key, not one that is equal to it.
bool is_same_key(Value a, Value b) {
  if (a.kind != b.kind) {
    return false;
  }
  switch (a.kind) {
    case Kind::kNone:
      return true;
    case Kind::kBool:
      return a.boolean == b.boolean;
    case Kind::kInt:
      return a.integer == b.integer;
    case Kind::kFloat:
      return a.real == b.real;
    default:
      return a.index == b.index;
  }
}

}  // namespace

namespace {

// One long key may stand at each of many levels.
std::string longer(const std::string& prefix, const std::string& key) {
  return prefix.size() > kLongestPrefix ? "…." : prefix + key + ".";
}

// Each container is looked at once, at the first path to it; an object's parts are not looked at.
class TensorlessValues {
 public:
  TensorlessValues(const TensorFile& file, std::vector<NamedValue>& found)
      : file_(file), found_(found), holders_(file, TensorHolders::Way::kPlain) {}

  // What is in the value, on any level, and holds no tensor.
  void add(const std::string& prefix, Value value) {
    for (const auto& [key, inner] : members(file_.document, value)) {
      if (!holders_.holds(inner)) {
        require(found_.size() < kMostValues, "holds more than 100000 values among its tensors");
        found_.push_back({prefix + key_text(file_.document, key), inner});
      } else if (file_.tensor(inner) == nullptr && met_.insert(inner.index).second) {
        add(longer(prefix, key_text(file_.document, key)), inner);
      }
    }
  }

 private:
  static constexpr std::size_t kMostValues = 100'000;

  const TensorFile& file_;
  std::vector<NamedValue>& found_;
  TensorHolders holders_;
  std::unordered_set<std::uint32_t> met_;
};

}  // namespace

std::vector<NamedValue> values_left_out(const TensorFile& file, const Selection& selection) {
  const pickle::Document& document = file.document;
  // What a TorchScript's modules have beside their tensors belongs to the program.
  std::vector<NamedValue> left_out = file.left_out;
  std::string prefix;
  Value at = file.root;
  for (const Value step : selection.path) {
    Value next;
    for (const auto& [key, value] : members(document, at)) {
      if (is_same_key(key, step)) {
        next = value;
      } else {
        left_out.push_back({prefix + key_text(document, key), value});
      }
    }
    prefix = longer(prefix, key_text(document, step));
    at = next;
  }
  TensorlessValues(file, left_out).add(prefix, selection.dict);
  return left_out;
}

Contents contents_of(const TensorFile& file, const std::optional<std::string>& key) {
  Contents contents;
  Selection selection{"", {}, file.root};
  try {
    selection = select_state_dict(file, key);
  } catch (const FormatError&) {
    if (key) {
      throw;
    }
    contents.kind = Contents::Kind::kCheckpoint;
  }
  contents.key = selection.key;
  contents.tensors = named_tensors(file, selection.dict);
  if (file.is_torchscript && !file.is_cpp_archive) {
    contents.kind = Contents::Kind::kTorchScript;
  } else if (!selection.is_root()) {
    contents.kind = Contents::Kind::kCheckpoint;
  }
  contents.left_out = values_left_out(file, selection);
  return contents;
}

std::vector<std::string> notes_of(const TensorFile& file) {
  std::vector<std::string> notes;
  if (file.has_modules) {
    notes.emplace_back("whole pickled modules are read as their state_dict(), without the versions in its _metadata");
  }
  if (!file.module_classes.empty()) {
    notes.push_back(
        "classes whose code is not here: " + text::printable(text::joined(file.module_classes), std::string::npos) +
        "; what a state_dict() or get_extra_state() of their own would change is not known");
  }
  if (file.names_no_buffers) {
    notes.push_back("TorchScript of an old PyTorch (archive version " + std::to_string(file.version) +
                    "), whose code names no buffers: they are not in the state_dict() of torch.jit.load");
  }
  return notes;
}

std::vector<std::string> passed_over(const TensorFile& file, const Selection& selection, bool has_key) {
  std::vector<std::string> places;
  for (const auto& [name, value] : values_left_out(file, selection)) {
    if (!has_key || selection.is_root() || name.starts_with(selection.key + ".")) {
      const bool is_object = value.kind == Kind::kObject;
      places.push_back(text::printable(name, std::string::npos) +
                       (is_object ? " (" + text::printable(class_of(file.document, value)) + ")" : ""));
    }
  }
  return places;
}

std::string note_of_choice(const TensorFile& file, const std::optional<std::string>& key) {
  const Selection selection = select_state_dict(file, key);
  if (foreign_names(file).empty() && state_dict_keys(file).size() < 2) {
    return "";
  }
  std::vector<std::string> facts;
  std::vector<std::string> places;
  try {
    places = passed_over(file, selection, key.has_value());
  } catch (const FormatError&) {  // too many; the tensors are read all the same
    places.emplace_back("more values than can be listed");
  }
  if (!places.empty()) {
    facts.push_back("read: " + (selection.is_root() ? "the file's root" : text::printable(selection.key)));
    facts.push_back("left out: " + text::joined(places));
  }
  std::ranges::copy(notes_of(file), std::back_inserter(facts));
  return text::joined(facts, "; ");
}

Totals totals_of(const TensorFile& file, const std::vector<NamedTensor>& tensors) {
  Totals totals;
  std::set<const StorageRecord*> storages;
  for (const NamedTensor& named : tensors) {
    const StorageRecord& storage = file.storages[named.tensor->storage];
    totals.bytes += storages.insert(&storage).second ? storage.size : 0;
    const auto numel = static_cast<std::uint64_t>(named.tensor->numel());
    totals.elements += std::min(numel, std::numeric_limits<std::uint64_t>::max() - totals.elements);
  }
  return totals;
}

void require_names(const TensorFile& archive) {
  require(!archive.has_constants || !archive.document.items(archive.root).empty(),
          "is a frozen TorchScript: its tensors are constants of its code and have lost their names");
}

}  // namespace iris
