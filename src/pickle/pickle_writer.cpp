#include "pickle/pickle_writer.h"

#include <bit>
#include <limits>
#include <map>
#include <string_view>
#include <unordered_map>

#include "error.h"
#include "io/byte_cursor.h"
#include "pickle/literals.h"
#include "pickle/opcode.h"
#include "text.h"

namespace iris::pickle {
namespace {

class Writer {
 public:
  Writer(const Document& document, const WriteExternal& write_external)
      : document_(document), write_external_(write_external) {}

  std::string write(Value root) {
    op(Opcode::kProto, '\x02');
    save(root);
    op(Opcode::kStop);
    return std::move(bytes_);
  }

 private:
  void op(auto... opcodes) { ((bytes_ += static_cast<char>(opcodes)), ...); }

  void op_with_index(Opcode of_a_byte, Opcode of_four, std::uint32_t index) {
    if (index < 256) {
      op(of_a_byte, index);
    } else {
      op(of_four);
      put_little_endian(bytes_, index);
    }
  }

  std::uint32_t memoize() {
    op_with_index(Opcode::kBinPut, Opcode::kLongBinPut, memo_size_);
    return memo_size_++;
  }

  std::uint32_t get(std::uint32_t index) {
    op_with_index(Opcode::kBinGet, Opcode::kLongBinGet, index);
    return index;
  }

  void save_int(std::int64_t value) {
    if (value >= 0 && value <= 0xFF) {
      op(Opcode::kBinInt1);
      put_little_endian(bytes_, static_cast<std::uint8_t>(value));
    } else if (value >= 0 && value <= 0xFFFF) {
      op(Opcode::kBinInt2);
      put_little_endian(bytes_, static_cast<std::uint16_t>(value));
    } else if (value == static_cast<std::int32_t>(value)) {
      op(Opcode::kBinInt);
      put_little_endian(bytes_, static_cast<std::int32_t>(value));
    } else {
      op(Opcode::kLong1, '\x08');
      put_little_endian(bytes_, value);
    }
  }

  void save_float(double value) {
    op(Opcode::kBinFloat);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes_ += static_cast<char>(bits >> shift & 0xFF);
    }
  }

  // What save_… returns is the memo index that the value was given.

  std::uint32_t save_string(std::string_view text) {
    const auto [place, is_new] = strings_.emplace(text, memo_size_);
    return is_new ? save_new_string(text) : get(place->second);
  }

  std::uint32_t save_new_string(std::string_view utf8) {
    require(utf8.size() <= std::numeric_limits<std::uint32_t>::max(), "a text of more than 4 GiB cannot be written");
    if (!text::is_python_text(utf8)) {
      throw FormatError("the text " + text::quoted(utf8) + " is not UTF-8");
    }
    op(Opcode::kBinUnicode);
    put_little_endian(bytes_, static_cast<std::uint32_t>(utf8.size()));
    bytes_ += utf8;
    return memoize();
  }

  std::uint32_t save_global(std::string_view qualified) {
    const auto [place, is_new] = globals_.emplace(qualified, memo_size_);
    if (!is_new) {
      return get(place->second);
    }
    const std::size_t dot = qualified.rfind('.');
    const std::string_view module = qualified.substr(0, dot);
    op(Opcode::kGlobal);
    bytes_ += module == "builtins" ? "__builtin__" : module;  // as protocol 2 spells it
    bytes_.append("\n").append(qualified.substr(dot + 1)).append("\n");
    return memoize();
  }

  // bytes, as Python writes them: text, each byte a character, encoded again.
  std::uint32_t save_bytes(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
      append_utf8(text, static_cast<unsigned char>(byte));
    }
    save_global("_codecs.encode");
    save_new_string(text);
    save_string("latin1");
    op(Opcode::kTuple2, Opcode::kReduce);
    return memoize();
  }

  void save_tuple(std::span<const Value> items) {
    if (items.size() > 3) {
      return fill(items, Opcode::kTuple);
    }
    for (const Value item : items) {
      save(item);
    }
    constexpr Opcode kByCount[] = {Opcode::kEmptyTuple, Opcode::kTuple1, Opcode::kTuple2, Opcode::kTuple3};
    op(kByCount[items.size()]);
  }

  // What is on the stack takes the items, or they become a tuple.
  void fill(std::span<const Value> items, Opcode with) {
    if (items.empty()) {
      return;
    }
    op(Opcode::kMark);
    for (const Value item : items) {
      save(item);
    }
    op(with);
  }

  std::uint32_t save_text(Value value);
  std::uint32_t save_container(Value value);
  void save(Value value);

  const Document& document_;
  const WriteExternal& write_external_;
  std::string bytes_;
  std::uint32_t memo_size_ = 0;
  bool in_external_ = false;
  // Memo indexes. Texts by content are sorted, not hashed: a file could be made of texts of one hash.
  std::map<std::string_view, std::uint32_t> strings_;
  std::map<std::string_view, std::uint32_t> globals_;
  std::unordered_map<std::uint32_t, std::uint32_t> texts_;
  std::unordered_map<std::uint32_t, std::uint32_t> containers_;
  std::unordered_map<std::uint32_t, Value> externals_;
};

std::uint32_t Writer::save_container(Value value) {
  const auto items = document_.items(value);
  std::uint32_t memo = 0;
  switch (value.kind) {
    case Kind::kList:
    case Kind::kDict:
      op(value.is_dict() ? Opcode::kEmptyDict : Opcode::kEmptyList);
      memo = memoize();
      fill(items, value.is_dict() ? Opcode::kSetItems : Opcode::kAppends);
      return memo;
    case Kind::kOrderedDict:
      save_global("collections.OrderedDict");
      op(Opcode::kEmptyTuple, Opcode::kReduce);
      memo = memoize();
      fill(items, Opcode::kSetItems);
      if (const Value state = document_.state(value); state.kind != Kind::kNone) {
        save(state);
        op(Opcode::kBuild);
      }
      return memo;
    case Kind::kCounter:
      save_global("collections.Counter");
      op(Opcode::kEmptyDict);
      fill(items, Opcode::kSetItems);
      op(Opcode::kTuple1, Opcode::kReduce);
      return memoize();
    case Kind::kTuple:
      save_tuple(items);
      return memoize();
    case Kind::kSet:
      save_global("builtins.set");
      op(Opcode::kEmptyList);
      fill(items, Opcode::kAppends);
      op(Opcode::kTuple1, Opcode::kReduce);
      return memoize();
    case Kind::kCall:
      save(items[0]);
      save_tuple(items.subspan(1));
      op(Opcode::kReduce);
      return memoize();
    case Kind::kPersistentId:
      require(in_external_, "a storage without a tensor cannot be written");
      save(items[0]);
      op(Opcode::kBinPersId);
      return memoize();
    default:
      throw FormatError(value.kind == Kind::kFrozenSet ? "a frozenset cannot be written: torch.load would refuse it"
                                                       : "an object cannot be written");
  }
}

std::uint32_t Writer::save_text(Value value) {
  const std::string_view text = document_.text(value);
  switch (value.kind) {
    case Kind::kString:
      return save_string(text);
    case Kind::kBytes:
      return save_bytes(text);
    case Kind::kByteArray:
      save_global("builtins.bytearray");
      save_bytes(text);
      op(Opcode::kTuple1, Opcode::kReduce);
      return memoize();
    case Kind::kBigInt:
      if (text.size() > 255) {
        throw FormatError("an integer of " + std::to_string(text.size()) +
                          " bytes cannot be written: torch.load would refuse it");
      }
      op(Opcode::kLong1, text.size());
      bytes_ += text;
      return memoize();
    default:
      return save_global(text);
  }
}

void Writer::save(Value value) {
  switch (value.kind) {
    case Kind::kNone:
      return op(Opcode::kNone);
    case Kind::kBool:
      return op(value.boolean ? Opcode::kNewTrue : Opcode::kNewFalse);
    case Kind::kInt:
      return save_int(value.integer);
    case Kind::kFloat:
      return save_float(value.real);
    case Kind::kExternal: {
      auto found = externals_.find(value.index);
      if (found == externals_.end()) {
        found = externals_.emplace(value.index, write_external_(value.index)).first;
      }
      in_external_ = true;
      save(found->second);
      in_external_ = false;
      return;
    }
    default: {
      auto& memo = value.has_items() ? containers_ : texts_;
      const auto found = memo.find(value.index);
      if (found != memo.end()) {
        get(found->second);
        return;
      }
      memo.emplace(value.index, value.has_items() ? save_container(value) : save_text(value));
    }
  }
}

}  // namespace

std::string write_pickle(const Document& document, Value root, const WriteExternal& write_external) {
  return Writer(document, write_external).write(root);
}

}  // namespace iris::pickle
