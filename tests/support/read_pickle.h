// Reading one pickle from a string, and what it holds as text: [1, "a", (2.5, None)].
#pragma once

#include <set>
#include <span>
#include <string>

#include "error.h"
#include "pickle/pickle_reader.h"
#include "support/errors.h"

namespace iris::test {

// Names that the tests' pickles may use, beside Python's own containers.
inline pickle::GlobalUse use_of_test_global(std::string_view name) {
  if (name == "good.function") {
    return pickle::GlobalUse::kFunction;
  }
  return name == "good.name" ? pickle::GlobalUse::kName : pickle::GlobalUse::kForeign;
}

struct ReadPickle {
  explicit ReadPickle(std::string the_bytes) : bytes(std::move(the_bytes)) {
    ByteCursor cursor(std::as_bytes(std::span(bytes)));
    root = pickle::read_pickle(cursor, use_of_test_global, document);
    remaining = cursor.remaining();
  }
  ReadPickle(const ReadPickle&) = delete;
  ReadPickle& operator=(const ReadPickle&) = delete;

  std::string bytes;  // the document's texts are views into it
  pickle::Document document;
  pickle::Value root;
  std::size_t remaining = 0;
};

std::string describe(const pickle::Document& document, pickle::Value value);

// "their.Class(1, key=2 [items] {pairs} | state)"; "their.Class(…)" within itself.
inline std::string describe_object(const pickle::Document& document, pickle::Value value) {
  using pickle::Kind;
  static std::set<std::uint32_t> within;
  const pickle::Object object = document.object(value);
  const std::string called =
      object.called.kind == Kind::kObject ? describe(document, object.called) : describe(document, object.name);
  if (!within.insert(value.index).second) {
    return called + "(…)";
  }
  std::string text;
  const auto add = [&](const std::string& before, pickle::Value part) {
    text += part.kind == Kind::kNone ? "" : (text.empty() ? "" : " ") + before + describe(document, part);
  };
  if (!document.items(object.arguments).empty()) {
    add("", object.arguments);
  }
  add("**", object.keywords);
  add("", object.items);
  add("", object.pairs);
  add("| ", document.state(value));
  within.erase(value.index);
  return called + "<" + text + ">";
}

inline std::string describe(const pickle::Document& document, pickle::Value value) {
  using pickle::Kind;
  const auto all = [&](const char* open, const char* close) {
    std::string text;
    for (const pickle::Value item : document.items(value)) {
      text += (text.empty() ? "" : ", ") + describe(document, item);
    }
    const pickle::Value state = document.state(value);
    return open + text + (state.kind == Kind::kNone ? "" : " | " + describe(document, state)) + close;
  };
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return value.boolean ? "True" : "False";
    case Kind::kInt:
      return std::to_string(value.integer);
    case Kind::kFloat:
      return "float " + std::to_string(value.real);
    case Kind::kExternal:
      return "external " + std::to_string(value.index);
    case Kind::kString:
      return '"' + std::string(document.text(value)) + '"';
    case Kind::kBytes:
      return "b'" + std::string(document.text(value)) + "'";
    case Kind::kByteArray:
      return "bytearray '" + std::string(document.text(value)) + "'";
    case Kind::kBigInt:
      return "integer of " + std::to_string(document.text(value).size()) + " bytes";
    case Kind::kGlobal:
      return std::string(document.text(value));
    case Kind::kList:
      return all("[", "]");
    case Kind::kTuple:
      return all("(", ")");
    case Kind::kSet:
      return all("set(", ")");
    case Kind::kFrozenSet:
      return all("frozenset(", ")");
    case Kind::kDict:
      return all("{", "}");
    case Kind::kOrderedDict:
      return all("OrderedDict{", "}");
    case Kind::kCounter:
      return all("Counter{", "}");
    case Kind::kCall:
      return all("call(", ")");
    case Kind::kObject:
      return describe_object(document, value);
    case Kind::kPersistentId:
      return all("id<", ">");
  }
  return "?";
}

// What the pickle holds. Throws FormatError.
inline std::string value_of(const std::string& bytes) {
  const ReadPickle read(bytes);
  return describe(read.document, read.root);
}

// Why the pickle is refused; "" when it is not.
inline std::string pickle_error(const std::string& bytes) {
  return error_of<FormatError>([&] { ReadPickle read(bytes); });
}

}  // namespace iris::test
