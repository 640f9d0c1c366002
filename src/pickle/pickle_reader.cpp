#include "pickle/pickle_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pickle/attack_names.h"
#include "pickle/builtin_calls.h"
#include "pickle/literals.h"
#include "pickle/opcode.h"
#include "pickle/value_stack.h"
#include "text.h"

namespace iris::pickle {
namespace {

constexpr std::size_t kMaxGlobalName = 512;

class Reader {
 public:
  Reader(ByteCursor& cursor, GlobalFilter filter, Document& document)
      : cursor_(cursor),
        filter_(filter),
        document_(document),
        builtins_(document, cursor.remaining()),
        stack_(cursor.remaining()) {}

  Value read() {
    while (true) {
      start_ = cursor_.offset();
      stack_.begin_opcode(start_);
      require(cursor_.remaining() > 0, "the pickle ends without STOP");
      const auto opcode = static_cast<Opcode>(cursor_.take<std::uint8_t>());
      if (opcode == Opcode::kStop) {
        const Value root = stack_.pop();
        document_.finish(root);
        return root;
      }
      run(opcode);
    }
  }

 private:
  void run(Opcode opcode);

  [[noreturn]] void fail(const std::string& fact) const { fail_at(start_, fact); }
  void require(bool holds, const char* fact) const { require_at(start_, holds, fact); }

  void push(Value value) { stack_.push(value); }

  void push_int(std::int64_t value) { push(Value::of_int(value)); }

  void push_items(Kind kind, std::vector<Value> items) { push(document_.add_items(kind, std::move(items), start_)); }

  std::vector<Value> pop_pairs_to_mark() {
    std::vector<Value> pairs = stack_.pop_to_mark();
    require(pairs.size() % 2 == 0, "a dict has a key without a value");
    return pairs;
  }

  void push_string(std::string_view utf8) {
    require(text::is_python_text(utf8), "a string is not UTF-8");
    push(document_.add_view(Kind::kString, utf8));
  }

  void push_bytes(std::string_view bytes) { push(document_.add_view(Kind::kBytes, bytes)); }

  // Python 2's str: text where it can be.
  void push_old_string(std::string_view bytes) { text::is_utf8(bytes) ? push_string(bytes) : push_bytes(bytes); }

  void push_long(std::string_view little_endian) {
    const std::optional<std::int64_t> small = small_integer(little_endian);
    push(small ? Value::of_int(*small) : document_.add_view(Kind::kBigInt, little_endian));
  }

  void append_to(Kind kind, const char* what, std::span<const Value> values) {
    const Value target = stack_.top();
    if (target.kind == Kind::kObject) {
      return document_.append_to_object(target, values, start_);
    }
    if (target.kind != kind) {
      fail(std::string("only a ") + what + " can be added to");
    }
    document_.append(target, values);
  }

  void set_items(std::span<const Value> keys_and_values) {
    const Value target = stack_.top();
    if (target.kind == Kind::kObject) {
      return document_.set_in_object(target, keys_and_values, start_);
    }
    require(target.is_dict(), "items can be set in a dict only");
    document_.append(target, keys_and_values);
  }

  template <typename T>
  T or_fail(std::optional<T> value, const std::string& fact) const {
    if (!value) {
      fail(fact);
    }
    return *std::move(value);
  }

  template <typename Number>
  Number take_number_line() {
    const std::string_view line = cursor_.take_line();
    return or_fail(number_of<Number>(line), "not a number: " + text::quoted(line));
  }

  std::string_view take_text_of_signed_size(const std::string& what) {
    const auto size = cursor_.take<std::int32_t>();
    if (size < 0) {
      fail(what + " has a negative length");
    }
    return cursor_.take_text(static_cast<std::uint64_t>(size));
  }

  void take_int_line(bool is_long);
  Value global(std::string_view module, std::string_view name);
  void call(Value function, Value arguments);
  void new_object(Value type, Value arguments, Value keywords);
  void push_object(Value called, Value arguments, Value keywords);
  void push_persistent_id();
  void build();

  ByteCursor& cursor_;
  GlobalFilter filter_;
  Document& document_;
  BuiltinCalls builtins_;
  ValueStack stack_;
  std::optional<Value> empty_tuple_;  // one for all: a byte of the file should not take a hundred of memory
  std::size_t start_ = 0;             // of the opcode at hand
};

void Reader::take_int_line(bool is_long) {
  std::string_view line = cursor_.take_line();
  if (!is_long && (line == "00" || line == "01")) {
    push(Value::of_bool(line == "01"));
    return;
  }
  if (line.ends_with('L')) {
    line.remove_suffix(1);
  }
  const std::string little_endian = or_fail(decimal_to_little_endian(line), "not an integer: " + text::quoted(line));
  const std::optional<std::int64_t> small = small_integer(little_endian);
  push(small ? Value::of_int(*small) : document_.add_text(Kind::kBigInt, little_endian));
}

Value Reader::global(std::string_view module, std::string_view name) {
  if (module == "__builtin__") {  // as protocols 0 to 2 spell it, for Python 2
    module = "builtins";
  }
  if (module == "copy_reg") {
    module = "copyreg";
  }
  require(module.size() + name.size() < kMaxGlobalName, "a global has a name of more than 512 bytes");
  const std::string qualified = std::string(module) + "." + std::string(name);
  require(text::is_utf8(qualified) && qualified.find('\n') == std::string::npos,
          "a global has a name that is not one line of UTF-8");
  if (is_attack_name(qualified)) {
    fail("names " + text::printable(qualified) +
         ", which runs programs: the file is made to attack whoever unpickles it. Nothing in it was run; delete it");
  }
  const bool is_foreign = !is_builtin_call(qualified) && filter_(qualified) == GlobalUse::kForeign;
  return document_.add_global(qualified, is_foreign);
}

// A class or function, or an object that may stand for one: partial(…)(…).
void Reader::push_object(Value called, Value arguments, Value keywords) {
  require(called.kind == Kind::kGlobal || called.kind == Kind::kObject, "only a name or an object can be called");
  require(arguments.kind == Kind::kTuple, "a function's arguments are not a tuple");
  require(keywords.kind == Kind::kNone || keywords.is_dict(), "a function's keyword arguments are not a dict");
  push(document_.add_object(called, arguments, keywords, start_));
}

// function(*arguments), as REDUCE, INST and OBJ say it.
void Reader::call(Value function, Value arguments) {
  const std::string_view name = function.kind == Kind::kGlobal ? document_.text(function) : std::string_view();
  const auto parts = arguments.kind == Kind::kTuple ? document_.items(arguments) : std::span<const Value>();
  if (is_builtin_call(name)) {
    push(builtins_.call(function, arguments, start_));
  } else if (!name.empty() && filter_(name) == GlobalUse::kFunction) {
    push(builtins_.keep_call(function, arguments, start_));
  } else if (name == "copyreg._reconstructor" && parts.size() == 3) {  // (class, base, the base's value)
    push_object(parts[0], arguments, Value{});
  } else {
    push_object(function, arguments, Value{});
  }
}

// type.__new__(type, *arguments, **keywords).
void Reader::new_object(Value type, Value arguments, Value keywords) {
  if (type.kind == Kind::kGlobal && document_.text(type) == "collections.OrderedDict") {
    push(builtins_.call(type, arguments, start_));
  } else {
    push_object(type, arguments, keywords);
  }
}

void Reader::push_persistent_id() {
  const Value id = stack_.pop();
  const auto parts = id.kind == Kind::kTuple ? document_.items(id) : std::span<const Value>();
  if (parts.size() == 4 && parts[0].kind == Kind::kString && document_.text(parts[0]) == "module" &&
      parts[1].kind == Kind::kGlobal) {
    push(parts[1]);
  } else {
    push_items(Kind::kPersistentId, {id});
  }
}

void Reader::build() {
  const Value state = stack_.pop();
  const Value target = stack_.top();
  require(target.kind == Kind::kOrderedDict ? state.is_dict() : target.kind == Kind::kObject,
          "state can be given to an object, or as a dict to an OrderedDict, only");
  document_.set_state(target, state);
}

void Reader::run(Opcode opcode) {
  switch (opcode) {
    case Opcode::kProto:
      if (const auto protocol = cursor_.take<std::uint8_t>(); protocol > 5) {
        fail("pickle protocol " + std::to_string(protocol) + " is unknown; 0 to 5 are read");
      }
      return;
    case Opcode::kFrame:
      require(cursor_.take<std::uint64_t>() <= cursor_.remaining(), "a frame reaches past the end");
      return;

    case Opcode::kMark:
      return stack_.mark();
    case Opcode::kPop:
      return stack_.pop_value_or_mark();
    case Opcode::kPopMark:
      stack_.pop_to_mark();
      return;
    case Opcode::kDup:
      return push(stack_.top());

    case Opcode::kPut:
      return stack_.put(take_number_line<std::uint64_t>());
    case Opcode::kBinPut:
      return stack_.put(cursor_.take<std::uint8_t>());
    case Opcode::kLongBinPut:
      return stack_.put(cursor_.take<std::uint32_t>());
    case Opcode::kMemoize:
      return stack_.put_next();
    case Opcode::kGet:
      return stack_.get(take_number_line<std::uint64_t>());
    case Opcode::kBinGet:
      return stack_.get(cursor_.take<std::uint8_t>());
    case Opcode::kLongBinGet:
      return stack_.get(cursor_.take<std::uint32_t>());

    case Opcode::kNone:
      return push(Value{});
    case Opcode::kNewTrue:
      return push(Value::of_bool(true));
    case Opcode::kNewFalse:
      return push(Value::of_bool(false));
    case Opcode::kInt:
      return take_int_line(false);
    case Opcode::kLong:
      return take_int_line(true);
    case Opcode::kBinInt:
      return push_int(cursor_.take<std::int32_t>());
    case Opcode::kBinInt1:
      return push_int(cursor_.take<std::uint8_t>());
    case Opcode::kBinInt2:
      return push_int(cursor_.take<std::uint16_t>());
    case Opcode::kLong1:
      return push_long(cursor_.take_text(cursor_.take<std::uint8_t>()));
    case Opcode::kLong4:
      return push_long(take_text_of_signed_size("an integer"));
    case Opcode::kFloat:
      return push(Value::of_float(take_number_line<double>()));
    case Opcode::kBinFloat:
      return push(Value::of_float(cursor_.take_big_endian_double()));

    case Opcode::kString: {
      const std::string bytes = or_fail(unquoted_repr(cursor_.take_line()), "a string is badly quoted");
      return push(document_.add_text(text::is_utf8(bytes) ? Kind::kString : Kind::kBytes, bytes));
    }
    case Opcode::kBinString:
      return push_old_string(take_text_of_signed_size("a string"));
    case Opcode::kShortBinString:
      return push_old_string(cursor_.take_text(cursor_.take<std::uint8_t>()));
    case Opcode::kUnicode: {
      std::string utf8 = or_fail(unescaped_unicode(cursor_.take_line()), "a string is badly escaped");
      return push(document_.add_text(Kind::kString, std::move(utf8)));
    }
    case Opcode::kShortBinUnicode:
      return push_string(cursor_.take_text(cursor_.take<std::uint8_t>()));
    case Opcode::kBinUnicode:
      return push_string(cursor_.take_text(cursor_.take<std::uint32_t>()));
    case Opcode::kBinUnicode8:
      return push_string(cursor_.take_text(cursor_.take<std::uint64_t>()));
    case Opcode::kShortBinBytes:
      return push_bytes(cursor_.take_text(cursor_.take<std::uint8_t>()));
    case Opcode::kBinBytes:
      return push_bytes(cursor_.take_text(cursor_.take<std::uint32_t>()));
    case Opcode::kBinBytes8:
      return push_bytes(cursor_.take_text(cursor_.take<std::uint64_t>()));
    case Opcode::kByteArray8:
      return push(document_.add_view(Kind::kByteArray, cursor_.take_text(cursor_.take<std::uint64_t>())));

    case Opcode::kEmptyTuple:
      if (!empty_tuple_) {
        empty_tuple_ = document_.add_items(Kind::kTuple, {}, start_);
      }
      return push(*empty_tuple_);
    case Opcode::kTuple1:
      return push_items(Kind::kTuple, stack_.pop_count(1));
    case Opcode::kTuple2:
      return push_items(Kind::kTuple, stack_.pop_count(2));
    case Opcode::kTuple3:
      return push_items(Kind::kTuple, stack_.pop_count(3));
    case Opcode::kTuple:
      return push_items(Kind::kTuple, stack_.pop_to_mark());
    case Opcode::kEmptyList:
      return push_items(Kind::kList, {});
    case Opcode::kList:
      return push_items(Kind::kList, stack_.pop_to_mark());
    case Opcode::kAppend:
      return append_to(Kind::kList, "list", stack_.pop_count(1));
    case Opcode::kAppends:
      return append_to(Kind::kList, "list", stack_.pop_to_mark());
    case Opcode::kEmptyDict:
      return push_items(Kind::kDict, {});
    case Opcode::kDict:
      return push_items(Kind::kDict, pop_pairs_to_mark());
    case Opcode::kSetItem:
      return set_items(stack_.pop_count(2));
    case Opcode::kSetItems:
      return set_items(pop_pairs_to_mark());
    case Opcode::kEmptySet:
      return push_items(Kind::kSet, {});
    case Opcode::kAddItems:
      return append_to(Kind::kSet, "set", stack_.pop_to_mark());
    case Opcode::kFrozenSet:
      return push_items(Kind::kFrozenSet, stack_.pop_to_mark());

    case Opcode::kGlobal: {
      const std::string_view module = cursor_.take_line();
      return push(global(module, cursor_.take_line()));
    }
    case Opcode::kStackGlobal: {
      const std::vector<Value> names = stack_.pop_count(2);
      require(names[0].kind == Kind::kString && names[1].kind == Kind::kString, "a global's name is not a string");
      return push(global(document_.text(names[0]), document_.text(names[1])));
    }
    case Opcode::kReduce: {
      const std::vector<Value> parts = stack_.pop_count(2);
      return call(parts[0], parts[1]);
    }
    case Opcode::kNewObj: {
      const std::vector<Value> parts = stack_.pop_count(2);
      return new_object(parts[0], parts[1], Value{});
    }
    case Opcode::kNewObjEx: {
      const std::vector<Value> parts = stack_.pop_count(3);
      return new_object(parts[0], parts[1], parts[2]);
    }
    case Opcode::kInst: {
      const std::string_view module = cursor_.take_line();
      const Value type = global(module, cursor_.take_line());
      return call(type, document_.add_items(Kind::kTuple, stack_.pop_to_mark(), start_));
    }
    case Opcode::kObj: {
      std::vector<Value> parts = stack_.pop_to_mark();
      require(!parts.empty(), "the stack is empty");
      const Value type = parts[0];
      parts.erase(parts.begin());
      return call(type, document_.add_items(Kind::kTuple, std::move(parts), start_));
    }
    case Opcode::kBuild:
      return build();
    case Opcode::kPersId:
      push_string(cursor_.take_line());
      [[fallthrough]];
    case Opcode::kBinPersId:
      return push_persistent_id();

    case Opcode::kStop:
      break;
  }
  const auto byte = static_cast<unsigned>(opcode);
  constexpr char kDigits[] = "0123456789abcdef";
  fail(std::string("opcode 0x") + kDigits[byte >> 4] + kDigits[byte & 15] + " is not allowed in a state_dict");
}

}  // namespace

Value read_pickle(ByteCursor& cursor, GlobalFilter filter, Document& document) {
  return Reader(cursor, filter, document).read();
}

}  // namespace iris::pickle
