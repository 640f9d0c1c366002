#include "tensor_file/members.h"

#include <array>
#include <charconv>
#include <unordered_set>

#include "pickle/literals.h"
#include "tensor_file/numpy_values.h"
#include "text.h"

namespace iris {

using pickle::Document;
using pickle::Entry;
using pickle::Kind;
using pickle::Value;

namespace {

constexpr std::size_t kLongestKey = 300;
constexpr std::size_t kMostParts = 20;

std::string float_text(double number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  std::string text(digits.data(), end);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

std::string cut(std::string_view text) { return text::printable(text, kLongestKey); }

}  // namespace

Value attributes(const Document& document, Value object) {
  const Value state = document.state(object);
  if (state.is_dict()) {
    return state;
  }
  if (state.kind == Kind::kTuple) {
    for (const Value part : document.items(state)) {
      if (part.is_dict()) {
        return part;
      }
    }
  }
  return {};
}

std::vector<Entry> members(const Document& document, Value value) {
  if (value.kind == Kind::kObject) {
    std::vector<Entry> all = document.entries(document.object(value).pairs);
    const std::vector<Entry> own = document.entries(attributes(document, value));
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }
  if (value.kind != Kind::kList && value.kind != Kind::kTuple) {
    return document.entries(value);
  }
  std::vector<Entry> all;
  for (const Value item : document.items(value)) {
    all.push_back({Value::of_int(static_cast<std::int64_t>(all.size())), item});
  }
  return all;
}

std::string_view class_of(const Document& document, Value object) {
  return document.text(document.object(object).name);
}

bool is_name(Value key) { return key.kind == Kind::kString || key.kind == Kind::kInt || key.kind == Kind::kBool; }

std::string key_text(const Document& document, Value key) {
  switch (key.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return key.boolean ? "True" : "False";
    case Kind::kInt:
      return std::to_string(key.integer);
    case Kind::kFloat:
      return float_text(key.real);
    case Kind::kExternal:
      return "a tensor";
    case Kind::kString:
      return std::string(document.text(key));
    case Kind::kBytes:
    case Kind::kByteArray:
      return "b'" + cut(document.text(key)) + "'";
    case Kind::kBigInt:
      if (auto decimal = pickle::little_endian_to_decimal(document.text(key))) {
        return *decimal;
      }
      return "an integer of " + std::to_string(document.text(key).size()) + " bytes";
    case Kind::kGlobal:
      return cut(document.text(key));
    case Kind::kTuple: {
      std::string text;
      const auto items = document.items(key);
      for (const Value item : items.first(std::min(items.size(), kMostParts))) {
        const bool is_nested = item.kind == Kind::kTuple || item.kind == Kind::kCall;
        const std::string part = is_nested ? "…" : cut(key_text(document, item));
        text += (text.empty() ? "" : ", ") + (item.kind == Kind::kString ? "'" + part + "'" : part);
      }
      return "(" + text + (items.size() > kMostParts ? ", …" : items.size() == 1 ? "," : "") + ")";
    }
    case Kind::kObject:
      return cut(class_of(document, key)) + "(…)";
    case Kind::kCall:
      return cut(document.text(document.items(key)[0])) + "(…)";
    default:
      return "a set";
  }
}

namespace {

// Of NumPy's functions those that are still in a value, as nothing was computed of it.
std::unordered_set<std::string_view> numpy_names_left(const TensorFile& file) {
  std::unordered_set<std::string_view> left;
  const Document& document = file.document;
  std::vector<bool> is_met(document.container_count());
  std::vector<Value> pending = {file.root};
  while (!pending.empty()) {
    const Value value = pending.back();
    pending.pop_back();
    if (value.kind == Kind::kGlobal && is_numpy_name(document.text(value))) {
      left.insert(document.text(value));
    }
    if (value.has_items() && !is_met[value.index]) {
      is_met[value.index] = true;
      const auto items = document.items(value);
      pending.insert(pending.end(), items.begin(), items.end());
      pending.push_back(document.state(value));
    }
  }
  return left;
}

}  // namespace

std::vector<ForeignName> foreign_names(const TensorFile& file) {
  std::vector<ForeignName> names;
  const auto left = numpy_names_left(file);
  for (const pickle::Mention& mention : file.document.mentions()) {
    if (!is_numpy_name(mention.name) || left.contains(mention.name)) {
      names.push_back({std::string(mention.name), mention.count});
    }
  }
  return names;
}

}  // namespace iris
