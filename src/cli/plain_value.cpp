#include "cli/plain_value.h"

#include "pickle/text.h"
#include "state_dict/selection.h"

namespace iris {
namespace {

using nlohmann::ordered_json;
using pickle::Kind;
using pickle::Value;

// Python's f(a, b).
std::string call_text(const TensorFile& file, Value call) {
  const auto items = file.document.items(call);
  std::string text = plain_text(file, items[0]) + "(";
  for (std::size_t i = 1; i < items.size(); ++i) {
    text += (i == 1 ? "" : ", ") + plain_text(file, items[i]);
  }
  return text + ")";
}

std::string count_text(const char* what, std::size_t count, const char* things) {
  return std::string(what) + " of " + std::to_string(count) + " " + things;
}

}  // namespace

ordered_json plain_json(const TensorFile& file, Value value) {
  switch (value.kind) {
    case Kind::kNone:
      return nullptr;
    case Kind::kBool:
      return value.boolean;
    case Kind::kInt:
      return value.integer;
    case Kind::kFloat:
      return value.real;
    case Kind::kExternal: {
      const TensorRecord& tensor = *file.tensor(value);
      return {{"shape", tensor.shape}, {"dtype", name_of(tensor.dtype)}};
    }
    case Kind::kString:
    case Kind::kGlobal:
      return file.document.text(value);
    case Kind::kBytes:
    case Kind::kByteArray:
    case Kind::kBigInt:
    case Kind::kCall:
    case Kind::kPersistentId:
      return plain_text(file, value);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet: {
      auto array = ordered_json::array();
      for (const Value item : file.document.items(value)) {
        array.push_back(plain_json(file, item));
      }
      return array;
    }
    case Kind::kDict:
    case Kind::kOrderedDict:
    case Kind::kCounter: {
      auto object = ordered_json::object();
      const auto entries = file.document.items(value);
      for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
        object[plain_text(file, entries[i])] = plain_json(file, entries[i + 1]);
      }
      return object;
    }
    case Kind::kObject:
      return plain_json(file, file.document.state(value));
  }
  return nullptr;
}

std::string plain_text(const TensorFile& file, Value value) {
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return value.boolean ? "True" : "False";
    case Kind::kInt:
    case Kind::kFloat:
      return plain_json(file, value).dump();
    case Kind::kExternal: {
      const TensorRecord& tensor = *file.tensor(value);
      return "tensor " + shape_text(tensor.shape) + " " + std::string(name_of(tensor.dtype));
    }
    case Kind::kString:
    case Kind::kGlobal:
      return pickle::printable(file.document.text(value));
    case Kind::kBytes:
    case Kind::kByteArray:
      return std::to_string(file.document.text(value).size()) + " bytes";
    case Kind::kBigInt:
      return "an integer of " + std::to_string(file.document.text(value).size()) + " bytes";
    case Kind::kCall:
      return call_text(file, value);
    case Kind::kPersistentId:
      return "a storage";
    case Kind::kList:
      return count_text("list", file.document.items(value).size(), "items");
    case Kind::kTuple:
      return count_text("tuple", file.document.items(value).size(), "items");
    case Kind::kSet:
    case Kind::kFrozenSet:
      return count_text("set", file.document.items(value).size(), "items");
    case Kind::kDict:
    case Kind::kOrderedDict:
    case Kind::kCounter:
      return count_text("dict", file.document.items(value).size() / 2, "entries");
    case Kind::kObject:
      return "object of " + plain_text(file, file.document.items(value)[0]);
  }
  return "";
}

bool holds_tensors(const TensorFile& file, Value value) { return !named_tensors(file, value).empty(); }

}  // namespace iris
