// What a pickle's calls of Python's own containers make: collections.OrderedDict and Counter, builtins.set, frozenset,
// bytes, bytearray and complex, and _codecs.encode, by which protocols 0 to 2 write bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_cursor.h"
#include "pickle/document.h"

namespace iris::pickle {

bool is_builtin_call(std::string_view qualified_name);

// Adds the results of calls to a document. Calls copy their arguments, and a small pickle may call often with one large
// list: what is copied is limited in proportion to the pickle's size. All functions throw FormatError("offset N: …"), N
// being the call's.
class BuiltinCalls {
 public:
  BuiltinCalls(Document& document, std::size_t pickle_size);

  // What the function returns in Python. is_builtin_call must hold for it.
  Value call(Value function, Value arguments, std::size_t offset);

  // The call itself as data, of kind kCall.
  Value keep_call(Value function, Value arguments, std::size_t offset);

 private:
  [[noreturn]] void fail(const std::string& fact) const { fail_at(offset_, fact); }
  void require(bool holds, const char* fact) const { require_at(offset_, holds, fact); }
  std::vector<Value> copy_of_items(Value container);
  std::vector<Value> arguments_of(Value tuple);
  std::vector<Value> contents_of(Value iterable, const std::string& name);
  std::vector<Value> pairs_of(Value iterable, const std::string& name);
  Value encoded(std::span<const Value> arguments);

  Document& document_;
  std::size_t copy_limit_;
  std::size_t copied_ = 0;
  std::size_t offset_ = 0;
  std::map<std::uint32_t, Value> encoded_;  // by the index of the text
};

}  // namespace iris::pickle
