#include "cli/plain_value.h"

#include <cmath>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <unordered_set>

#include "pickle/literals.h"
#include "tensor_file/members.h"
#include "tensor_file/selection.h"
#include "text.h"

namespace iris {
namespace {

using nlohmann::ordered_json;
using pickle::Kind;
using pickle::Value;

// A small file may refer to one list or text from many places. So the JSON may take at most kMinJson bytes of memory
// and kMaxJsonPerByte times the file's size. The other constants are about what one value takes.
constexpr std::uint64_t kMinJson = 64 << 20;
constexpr std::uint64_t kMaxJsonPerByte = 8;
constexpr std::uint64_t kNumberSize = 16;
constexpr std::uint64_t kPartSize = 64;
constexpr std::uint64_t kTensorSize = 512;

// Python's f(a, b). Calls inside calls are "…": their text could double with each level, and no model file has them.
std::string call_text(const TensorFile& file, Value call) {
  const auto items = file.document.items(call);
  std::vector<std::string> arguments;
  for (const Value argument : items.subspan(1)) {
    arguments.push_back(argument.kind == Kind::kCall    ? "…"
                        : argument.kind == Kind::kTuple ? key_text(file.document, argument)
                                                        : plain_text(file, argument));
  }
  return plain_text(file, items[0]) + "(" + text::joined(arguments) + ")";
}

class JsonMaker {
 public:
  explicit JsonMaker(const TensorFile& file)
      : file_(file), room_(kMinJson + kMaxJsonPerByte * file.file->bytes().size()) {}

  ordered_json object_of(const std::vector<std::pair<std::string, Value>>& values) {
    auto object = ordered_json::object();
    // Written directly: ordered_json's own interface looks through all keys for each new one.
    auto& members = object.get_ref<ordered_json::object_t&>();
    members.reserve(values.size());  // growing, it would copy them, keys being const
    std::map<std::string, std::size_t, std::less<>> times;
    for (const auto& [name, value] : values) {
      take(kPartSize + name.size());
      std::string own_name = name;
      while (!times.try_emplace(own_name, 1).second) {
        own_name = name + " (" + std::to_string(++times.find(name)->second) + ")";
      }
      members.emplace_back(own_name, json_of(value));
    }
    return object;
  }

 private:
  bool take(std::uint64_t size) {
    const bool fits = size <= room_;
    room_ -= fits ? size : room_;
    return fits;
  }

  ordered_json array_of(std::span<const Value> items) {
    auto array = ordered_json::array();
    for (const Value item : items) {
      array.push_back(json_of(item));
    }
    return array;
  }

  std::uint64_t size_of(Value value) const {
    if (value.kind == Kind::kString || value.kind == Kind::kGlobal) {
      return kPartSize + file_.document.text(value).size();
    }
    return value.kind == Kind::kExternal ? kTensorSize : value.kind < Kind::kExternal ? kNumberSize : kPartSize;
  }

  ordered_json json_of(Value value) {
    if (depth_ > pickle::Document::kMaxDepth || !take(size_of(value))) {
      return "…";
    }
    ++depth_;
    ordered_json json = made_of(value);
    --depth_;
    return json;
  }

  // torch.Size((2, 3)): a tuple in Python too.
  bool is_size(Value call) const {
    const auto items = file_.document.items(call);
    return items.size() == 2 && items[1].has_items() && items[1].kind != Kind::kObject &&
           file_.document.text(items[0]) == "torch.Size";
  }

  // {"class": …} and the parts that it has. In full once: objects may be met again, also in themselves.
  ordered_json object_json(Value value) {
    const pickle::Object object = file_.document.object(value);
    take(kPartSize + file_.document.text(object.name).size());
    ordered_json json = {{"class", file_.document.text(object.name)}};
    if (!met_.insert(value.index).second) {
      return json;
    }
    const auto add = [&](const char* name, Value part) {
      if (part.kind != Kind::kNone &&
          !(part.has_items() && part.kind != Kind::kObject && file_.document.items(part).empty())) {
        json[name] = json_of(part);
      }
    };
    add("arguments", object.arguments);
    add("keywords", object.keywords);
    add("items", object.items);
    add("pairs", object.pairs);
    add("state", file_.document.state(value));
    return json;
  }

  ordered_json made_of(Value value) {
    switch (value.kind) {
      case Kind::kNone:
        return nullptr;
      case Kind::kBool:
        return value.boolean;
      case Kind::kInt:
        return value.integer;
      case Kind::kFloat:
        return std::isfinite(value.real) ? ordered_json(value.real) : ordered_json(plain_text(file_, value));
      case Kind::kExternal: {
        const TensorRecord& tensor = *file_.tensor(value);
        return {{"shape", tensor.shape}, {"dtype", name_of(tensor.dtype)}};
      }
      case Kind::kString:
      case Kind::kGlobal:
        return file_.document.text(value);
      case Kind::kList:
      case Kind::kTuple:
      case Kind::kSet:
      case Kind::kFrozenSet:
        return array_of(file_.document.items(value));
      case Kind::kDict:
      case Kind::kOrderedDict:
      case Kind::kCounter: {
        std::vector<std::pair<std::string, Value>> values;
        const auto entries = file_.document.items(value);
        for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
          values.emplace_back(key_text(file_.document, entries[i]), entries[i + 1]);
        }
        return object_of(values);
      }
      case Kind::kObject:
        return object_json(value);
      case Kind::kCall:
        return is_size(value) ? array_of(file_.document.items(file_.document.items(value)[1]))
                              : ordered_json(plain_text(file_, value));
      default:
        return plain_text(file_, value);
    }
  }

  const TensorFile& file_;
  std::uint64_t room_;
  std::size_t depth_ = 0;
  std::unordered_set<std::uint32_t> met_;  // objects
};

}  // namespace

ordered_json plain_json(const TensorFile& file, const std::vector<std::pair<std::string, Value>>& values) {
  return JsonMaker(file).object_of(values);
}

std::string plain_text(const TensorFile& file, Value value) {
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return value.boolean ? "True" : "False";
    case Kind::kInt:
      return std::to_string(value.integer);
    case Kind::kFloat:
      return std::isnan(value.real)   ? "nan"
             : std::isinf(value.real) ? value.real > 0 ? "inf" : "-inf"
                                      : ordered_json(value.real).dump();
    case Kind::kExternal: {
      const TensorRecord& tensor = *file.tensor(value);
      return "tensor " + shape_text(tensor.shape) + " " + std::string(name_of(tensor.dtype));
    }
    case Kind::kString:
    case Kind::kGlobal:
      return text::printable(file.document.text(value));
    case Kind::kBigInt:
      if (const auto decimal = pickle::little_endian_to_decimal(file.document.text(value))) {
        return *decimal;
      }
      return "an integer of " + std::to_string(file.document.text(value).size()) + " bytes";
    case Kind::kBytes:
    case Kind::kByteArray:
      return std::to_string(file.document.text(value).size()) + " bytes";
    case Kind::kCall:
      return call_text(file, value);
    case Kind::kPersistentId:
      return "a storage";
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet:
      return (value.kind == Kind::kList    ? "list of "
              : value.kind == Kind::kTuple ? "tuple of "
                                           : "set of ") +
             std::to_string(file.document.items(value).size()) + " items";
    case Kind::kDict:
    case Kind::kOrderedDict:
    case Kind::kCounter:
      return "dict of " + std::to_string(file.document.items(value).size() / 2) + " entries";
    case Kind::kObject:
      return plain_text(file, file.document.object(value).name) + "(…)";
  }
  return "";
}

}  // namespace iris
