#include "pickle/value_stack.h"

#include <algorithm>
#include <string>

#include "io/byte_cursor.h"

namespace iris::pickle {
namespace {

// A real pickle's largest index is its number of PUTs, far less than this. A vector of this length costs little.
constexpr std::size_t kMinMemoLimit = 65'536;

}  // namespace

ValueStack::ValueStack(std::size_t pickle_size) : memo_limit_(std::max(pickle_size, kMinMemoLimit)) {}

Value ValueStack::top() const {
  require_at(offset_, values_.size() > floor(), "the stack is empty");
  return values_.back();
}

Value ValueStack::pop() {
  const Value value = top();
  values_.pop_back();
  return value;
}

std::vector<Value> ValueStack::pop_count(std::size_t count) {
  require_at(offset_, values_.size() >= floor() + count, "the stack is empty");
  const auto first = values_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<Value> values(first, values_.end());
  values_.erase(first, values_.end());
  return values;
}

std::vector<Value> ValueStack::pop_to_mark() {
  require_at(offset_, !marks_.empty(), "there is no MARK");
  std::vector<Value> values = pop_count(values_.size() - marks_.back());
  marks_.pop_back();
  return values;
}

void ValueStack::pop_value_or_mark() {
  if (values_.size() == floor() && !marks_.empty()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void ValueStack::put(std::uint64_t index) {
  if (index >= memo_limit_) {
    fail_at(offset_, "memo index " + std::to_string(index) + " is beyond what the pickle's size warrants");
  }
  const Value value = top();
  if (index >= memo_.size()) {
    memo_.resize(index + 1);
  }
  memo_[index] = value;
}

void ValueStack::get(std::uint64_t index) {
  if (index >= memo_.size() || !memo_[index]) {
    fail_at(offset_, "memo index " + std::to_string(index) + " was never put");
  }
  push(*memo_[index]);
}

}  // namespace iris::pickle
