#include "pickle/builtin_calls.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "pickle/literals.h"

namespace iris::pickle {
namespace {

// So many values may be copied for each byte of the pickle. A real one copies a value once or twice.
constexpr std::size_t kMaxCopiesPerByte = 4;
constexpr std::size_t kMinCopyLimit = 65'536;

constexpr std::array<std::string_view, 8> kBuiltins = {
    "collections.OrderedDict", "collections.Counter", "builtins.set",     "builtins.frozenset",
    "builtins.bytes",          "builtins.bytearray",  "builtins.complex", "_codecs.encode"};

bool is_encoded_text(std::span<const Value> arguments) {
  return arguments.size() == 2 && arguments[0].kind == Kind::kString && arguments[1].kind == Kind::kString;
}

}  // namespace

bool is_builtin_call(std::string_view name) { return std::ranges::find(kBuiltins, name) != kBuiltins.end(); }

BuiltinCalls::BuiltinCalls(Document& document, std::size_t pickle_size)
    : document_(document), copy_limit_(std::max(pickle_size * kMaxCopiesPerByte, kMinCopyLimit)) {}

std::vector<Value> BuiltinCalls::copy_of_items(Value container) {
  const auto items = document_.items(container);
  copied_ += items.size();
  require(copied_ <= copy_limit_, "its calls copy more values than the pickle's size warrants");
  return {items.begin(), items.end()};
}

std::vector<Value> BuiltinCalls::arguments_of(Value tuple) {
  require(tuple.kind == Kind::kTuple, "a function's arguments are not a tuple");
  return copy_of_items(tuple);
}

std::vector<Value> BuiltinCalls::contents_of(Value iterable, const std::string& name) {
  if (iterable.kind != Kind::kList && iterable.kind != Kind::kTuple) {
    fail(name + " is made of something that is not a list");
  }
  return copy_of_items(iterable);
}

// Python 2 wrote OrderedDict([[key, value], …]).
std::vector<Value> BuiltinCalls::pairs_of(Value iterable, const std::string& name) {
  if (iterable.is_dict()) {
    return copy_of_items(iterable);
  }
  std::vector<Value> flat;
  for (const Value pair : contents_of(iterable, name)) {
    const std::vector<Value> key_and_value = contents_of(pair, name);
    if (key_and_value.size() != 2) {
      fail(name + " is made of something other than pairs");
    }
    flat.insert(flat.end(), key_and_value.begin(), key_and_value.end());
  }
  return flat;
}

// The same text gives the same bytes, held once however often a pickle asks for them.
Value BuiltinCalls::encoded(std::span<const Value> arguments) {
  const auto is = [&](std::string_view encoding) { return document_.text(arguments[1]) == encoding; };
  require(is_encoded_text(arguments) && (is("latin1") || is("latin-1")),
          "_codecs.encode is allowed with (text, \"latin1\") only");
  const Value text = arguments[0];
  const auto found = encoded_.find(text.index);
  if (found != encoded_.end()) {
    return found->second;
  }
  std::optional<std::string> bytes = latin1_bytes(document_.text(text));
  require(bytes.has_value(), "_codecs.encode was given a character beyond latin1");
  return encoded_[text.index] = document_.add_text(Kind::kBytes, std::move(*bytes));
}

Value BuiltinCalls::keep_call(Value function, Value arguments, std::size_t offset) {
  offset_ = offset;
  std::vector<Value> parts = arguments_of(arguments);
  parts.insert(parts.begin(), function);
  return document_.add_items(Kind::kCall, std::move(parts), offset);
}

Value BuiltinCalls::call(Value function, Value arguments_tuple, std::size_t offset) {
  offset_ = offset;
  const std::string name(document_.text(function));
  if (name == "builtins.complex") {
    return keep_call(function, arguments_tuple, offset);
  }
  const std::vector<Value> arguments = arguments_of(arguments_tuple);
  const auto expect_at_most = [&](std::size_t count) {
    if (arguments.size() > count) {
      fail(name + " has " + std::to_string(arguments.size()) + " arguments");
    }
  };
  if (name == "_codecs.encode") {
    return encoded(arguments);
  }
  if (name == "builtins.bytes") {  // only b"" is written so
    expect_at_most(0);
    return document_.add_view(Kind::kBytes, {});
  }
  if (name == "builtins.bytearray") {
    const bool is_of_bytes = arguments.size() == 1 && arguments[0].kind == Kind::kBytes;
    if (is_encoded_text(arguments)) {  // as Python 2 and protocols 0 and 1 of Python 3 write it
      return document_.add_view(Kind::kByteArray, document_.text(encoded(arguments)));
    }
    require(is_of_bytes || arguments.empty(), "builtins.bytearray is allowed with bytes only");
    return document_.add_view(Kind::kByteArray, is_of_bytes ? document_.text(arguments[0]) : std::string_view());
  }
  expect_at_most(1);
  const bool is_set = name.ends_with("set");
  std::vector<Value> items;
  if (!arguments.empty()) {
    items = is_set ? contents_of(arguments[0], name) : pairs_of(arguments[0], name);
  }
  const Kind set_kind = name == "builtins.set" ? Kind::kSet : Kind::kFrozenSet;
  const Kind dict_kind = name == "collections.Counter" ? Kind::kCounter : Kind::kOrderedDict;
  return document_.add_items(is_set ? set_kind : dict_kind, std::move(items), offset);
}

}  // namespace iris::pickle
