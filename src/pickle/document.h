// What a pickle says, as plain data: nothing in it was ever called or looked up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iris::pickle {

enum class Kind : std::uint8_t {
  // Held in the Value itself.
  kNone,
  kBool,
  kInt,
  kFloat,
  kExternal,  // an entry of a table that the Document's owner keeps, such as a tensor
  // Document::text.
  kString,     // UTF-8; Python's surrogates may stand in it
  kBytes,      // bytes
  kByteArray,  // bytes
  kBigInt,     // little-endian two's complement, of more than 8 bytes
  kGlobal,     // a qualified name, "torch.float32"
  // Document::items.
  kList,
  kTuple,
  kSet,
  kFrozenSet,
  kDict,  // key, value, key, value, …; no key twice; in the file's order
  kOrderedDict,
  kCounter,
  kCall,          // a function of the filter's list (kGlobal), then its arguments
  kPersistentId,  // the one id
  kObject,        // inert: what a class or function off the list would have made; see Document::object
};

// Trivially copied. Only its Document can say what it means.
struct Value {
  Kind kind = Kind::kNone;
  union {
    bool boolean;
    std::int64_t integer = 0;
    double real;
    std::uint32_t index;
  };

  static Value of_bool(bool value) { return {.kind = Kind::kBool, .boolean = value}; }
  static Value of_int(std::int64_t value) { return {.kind = Kind::kInt, .integer = value}; }
  static Value of_float(double value) { return {.kind = Kind::kFloat, .real = value}; }
  static Value of_external(std::uint32_t index) { return {.kind = Kind::kExternal, .index = index}; }

  bool has_items() const { return kind >= Kind::kList; }
  bool is_dict() const { return kind == Kind::kDict || kind == Kind::kOrderedDict || kind == Kind::kCounter; }
};

// Of a dict.
struct Entry {
  Value key;
  Value value;
};

// What a file says of an object whose class is not known here. None of it was run: it is what would have been given to
// the class. A part that the file does not have is kNone.
struct Object {
  Value called;     // the class or function: kGlobal, or the object that was called
  Value name;       // kGlobal: `called`, or the name of that object
  Value arguments;  // kTuple
  Value keywords;   // a dict
  Value items;      // kList: what was appended to it, or added to it as a set
  Value pairs;      // kDict: what was set in it as in a dict
};

// A class or function that a file names and that is not on the filter's list.
struct Mention {
  std::string_view name;
  std::size_t count = 0;  // opcodes that spell it
};

// Owns all values of one or more pickles in flat tables, so that reading and destroying a deeply nested file takes no
// stack. A value that two containers hold is held once.
// After read_pickle: objects may contain themselves, nothing else does. From the root, or from the parts of any object
// it leads to, walking all paths that stop at objects meets at most kMaxWalk values, at most kMaxDepth deep. So whoever
// walks into objects has to notice those that were met before, and needs a stack of its own or a limit.
// Texts may be views into the bytes that were read: those must outlive the Document. Not thread-safe while it is
// changed; any number of threads may read.
class Document {
 public:
  static constexpr std::size_t kMaxContainers = 4'000'000;
  static constexpr std::size_t kMaxDepth = 1'000;
  static constexpr std::uint64_t kMaxWalk = 16'000'000;

  // The value of a text kind. Throws std::logic_error for another kind, as items and offset do: a bug, not bad input.
  std::string_view text(Value value) const;
  std::span<const Value> items(Value value) const;
  std::span<Value> items(Value value);
  Object object(Value value) const;
  // What BUILD gave to an OrderedDict (a dict such as {"_metadata": …}) or to an object (mostly the dict of its
  // attributes, but any value is allowed); kNone for all else.
  Value state(Value value) const { return value.has_items() ? at(value).state : Value{}; }
  // Where in the file the container was begun.
  std::size_t offset(Value value) const;

  // In the file's order; empty where the value is not a dict.
  std::vector<Entry> entries(Value dict) const;

  // The value under a string key; nullptr where there is none, or `dict` is not a dict. Linear in the dict's size.
  const Value* find(Value dict, std::string_view key) const;

  Value add_view(Kind kind, std::string_view text);  // keeps the view
  Value add_text(Kind kind, std::string text);
  Value add_items(Kind kind, std::vector<Value> items, std::size_t offset);  // FormatError past kMaxContainers
  Value add_object(Value called, Value arguments, Value keywords, std::size_t offset);
  // The kGlobal of that name; each name is held once. Counts it if it is a mention.
  Value add_global(const std::string& name, bool is_mention);
  void append(Value container, std::span<const Value> items);
  void append_to_object(Value object, std::span<const Value> items, std::size_t offset);
  void set_in_object(Value object, std::span<const Value> keys_and_values, std::size_t offset);
  void set_state(Value container, Value state);
  void replace_items(Value container, std::vector<Value> items);

  // In the order in which the file first names them.
  const std::vector<Mention>& mentions() const { return mentions_; }

  std::size_t container_count() const { return containers_.size(); }
  // The container of that number, as a Value: 0 … container_count() - 1, in the order in which they were begun.
  Value container(std::size_t number) const;

  // Makes dicts hold each key once (the last value, at the first place, as in Python), and throws FormatError if
  // what `root` leads to has a cycle of plain containers, is deeper than kMaxDepth, longer to walk than kMaxWalk, or
  // has a key that Python could not hash.
  void finish(Value root);

 private:
  struct Container {
    Kind kind;
    std::vector<Value> items;
    Value state;
    std::size_t offset;
  };

  const Container& at(Value value) const;
  Value& part_of_object(Value object, std::size_t slot);
  class TextNumbers;
  void drop_duplicate_keys(Value dict, TextNumbers& texts);

  std::deque<Container> containers_;
  std::vector<std::string_view> texts_;
  std::deque<std::string> owned_texts_;
  struct Global {
    Value value;
    std::optional<std::size_t> mention;  // its place in mentions_
  };
  std::map<std::string, Global, std::less<>> globals_;
  std::vector<Mention> mentions_;
};

}  // namespace iris::pickle
