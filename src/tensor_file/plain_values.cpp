#include "tensor_file/plain_values.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "error.h"
#include "tensor_file/members.h"
#include "tensor_file/selection.h"
#include "tensor_file/torch_globals.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Entry;
using pickle::Kind;
using pickle::Value;

constexpr std::size_t kLongestPlace = 300;
constexpr std::size_t kLongestInteger = 255;
// Values looked at to see whether an object holds tensors.
constexpr std::size_t kMostLooks = 16'000'000;

constexpr std::string_view kPythonNames[] = {"collections.OrderedDict", "collections.Counter", "builtins.set",
                                             "builtins.bytearray",      "builtins.complex",    "_codecs.encode"};

bool is_read_by_torch(std::string_view name) {
  return use_of_torch_global(name) != pickle::GlobalUse::kForeign ||
         std::ranges::find(kPythonNames, name) != std::end(kPythonNames);
}

// Each container is looked at once, at the first path to it. The recursion goes into plain containers only, and so no
// deeper than Document::kMaxDepth, and into objects that become dicts, of which none lies within itself.
class Cleaner {
 public:
  explicit Cleaner(TensorFile& file) : file_(file), document_(file.document) {}

  PlainValue clean_root(Value root) {
    const std::optional<Value> value = root.kind == Kind::kObject ? as_dict(root) : clean(root);
    if (!value) {
      throw FormatError("holds " + what_is(root) + ", which torch.load(weights_only=True) would refuse");
    }
    result_.value = *value;
    return std::move(result_);
  }

 private:
  // The value to write; nullopt, and a note, where there is none.
  std::optional<Value> clean(Value value) {
    if (const std::string reason = why_no_tensor(file_, value); !reason.empty()) {
      throw FormatError("tensor " + text::quoted(place()) + " " + reason);
    }
    if (value.kind == Kind::kObject && is_dict_of_tensors(value)) {
      return as_dict(value);
    }
    if (!is_written(value)) {
      note(what_is(value), /*is_kept=*/false);
      return std::nullopt;
    }
    if (value.has_items() && cleaned_.insert(value.index).second) {
      clean_parts(value);
    }
    return value;
  }

  void clean_parts(Value container) {
    std::vector<Value> kept;
    const auto items = document_.items(container);
    if (container.is_dict()) {
      kept = clean_entries(document_.entries(container));
    } else {
      for (std::size_t i = 0; i < items.size(); ++i) {
        path_.push_back(Value::of_int(static_cast<std::int64_t>(i)));
        const std::optional<Value> item = clean(items[i]);
        path_.pop_back();
        if (item || container.kind != Kind::kSet) {
          kept.push_back(item.value_or(Value{}));
        }
      }
    }
    document_.replace_items(container, std::move(kept));
    if (const Value state = document_.state(container); state.kind != Kind::kNone) {
      document_.set_state(container, clean(state).value_or(Value{}));
    }
  }

  std::vector<Value> clean_entries(const std::vector<Entry>& entries) {
    std::vector<Value> kept;
    for (const auto& [key, value] : entries) {
      path_.push_back(key);
      if (!is_written_key(key)) {
        note("an entry whose key is " + what_is(key), /*is_kept=*/false);
      } else if (const std::optional<Value> plain = clean(value)) {
        kept.insert(kept.end(), {key, *plain});
      }
      path_.pop_back();
    }
    return kept;
  }

  std::optional<Value> as_dict(Value object) {
    const auto found = dicts_.find(object.index);
    if (found != dicts_.end()) {
      return found->second;
    }
    if (!within_.insert(object.index).second) {  // it holds itself
      note(what_is(object), /*is_kept=*/false);
      return std::nullopt;
    }
    note(what_is(object), /*is_kept=*/true);
    const std::size_t offset = document_.offset(object);
    const Value dict = document_.add_items(Kind::kOrderedDict, clean_entries(members(document_, object)), offset);
    within_.erase(object.index);
    dicts_.emplace(object.index, dict);
    return dict;
  }

  // Among what was set in it as in a dict, and in the dicts there.
  bool is_dict_of_tensors(Value object) {
    const Value pairs = document_.object(object).pairs;
    return std::ranges::any_of(document_.entries(pairs), [&](const Entry& entry) {
      ++looks_;
      const auto is_tensor = [&](const Entry& inner) { return looks_++ < kMostLooks && file_.tensor(inner.value); };
      return file_.tensor(entry.value) != nullptr ||
             (looks_ < kMostLooks && std::ranges::any_of(document_.entries(entry.value), is_tensor));
    });
  }

  bool is_written(Value value) const {
    switch (value.kind) {
      case Kind::kGlobal:
        return is_read_by_torch(document_.text(value));
      case Kind::kBigInt:
        return document_.text(value).size() <= kLongestInteger;
      case Kind::kFrozenSet:
      case Kind::kPersistentId:
      case Kind::kObject:
        return false;
      default:
        return true;
    }
  }

  bool is_written_key(Value key) const {
    return is_written(key) && (key.kind != Kind::kTuple || std::ranges::all_of(document_.items(key), [&](Value item) {
                                 return is_written_key(item);
                               }));
  }

  std::string what_is(Value value) const {
    switch (value.kind) {
      case Kind::kObject:
        return text::printable(class_of(document_, value));
      case Kind::kGlobal:
        return "the name " + text::printable(document_.text(value));
      case Kind::kFrozenSet:
        return "a frozenset";
      case Kind::kPersistentId:
        return "a storage without a tensor";
      default:
        return key_text(document_, value);
    }
  }

  std::string place() const {
    std::string place;
    for (const Value key : path_) {
      if (place.size() > kLongestPlace) {
        break;
      }
      place += (place.empty() ? "" : ".") + text::printable(key_text(document_, key), kLongestPlace);
    }
    return place;
  }

  void note(std::string what, bool is_kept) {
    if (result_.changes.size() < kMostChanges) {
      result_.changes.push_back({place(), std::move(what), is_kept});
    } else {
      ++result_.more_changes;
    }
  }

  TensorFile& file_;
  pickle::Document& document_;
  PlainValue result_;
  std::vector<Value> path_;
  std::unordered_set<std::uint32_t> cleaned_;
  std::unordered_set<std::uint32_t> within_;
  std::unordered_map<std::uint32_t, Value> dicts_;  // by the object's number
  std::size_t looks_ = 0;
};

}  // namespace

PlainValue plain_values_of(TensorFile& file, Value value) { return Cleaner(file).clean_root(value); }

}  // namespace iris
