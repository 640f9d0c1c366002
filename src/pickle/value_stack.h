// What a pickle's opcodes work on: a stack with marks, and the memo (stack, metastack and memo in CPython's
// Lib/pickle.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "pickle/document.h"

namespace iris::pickle {

// All functions throw FormatError("offset N: …"), N being the offset of the opcode at hand, and then change nothing.
class ValueStack {
 public:
  // The memo refuses indexes that a pickle of so many bytes does not need.
  explicit ValueStack(std::size_t pickle_size);

  void begin_opcode(std::size_t offset) { offset_ = offset; }

  void push(Value value) { values_.push_back(value); }
  Value top() const;
  Value pop();
  // The topmost values, the deepest first. No function reaches below the last mark.
  std::vector<Value> pop_count(std::size_t count);

  void mark() { marks_.push_back(values_.size()); }
  // All values above the last mark, and the mark.
  std::vector<Value> pop_to_mark();
  // A value or, where none is above it, the last mark.
  void pop_value_or_mark();

  // Notes the top in the memo.
  void put(std::uint64_t index);
  void put_next() { put(memo_.size()); }
  // Pushes what was put there.
  void get(std::uint64_t index);

 private:
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  std::size_t memo_limit_;
  std::size_t offset_ = 0;
  std::vector<Value> values_;
  std::vector<std::size_t> marks_;
  std::vector<std::optional<Value>> memo_;
};

}  // namespace iris::pickle
