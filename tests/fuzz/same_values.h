// Whether a value read back is the value that was written, and a walk that touches every byte of one.
#pragma once

#include <bit>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "pickle/document.h"

namespace iris::fuzz {

// Compares what two values lead to, each pair of containers once: what was shared has to be shared still.
class SameValues {
 public:
  SameValues(const pickle::Document& before, const pickle::Document& after) : before_(before), after_(after) {}

  bool operator()(pickle::Value a, pickle::Value b) {
    using pickle::Kind;
    if (a.kind == Kind::kExternal) {  // a pickle holds none: the harness wrote its number
      return b.kind == Kind::kInt && b.integer == a.index;
    }
    if (a.kind != b.kind) {
      return false;
    }
    switch (a.kind) {
      case Kind::kNone:
        return true;
      case Kind::kBool:
        return a.boolean == b.boolean;
      case Kind::kInt:
        return a.integer == b.integer;
      case Kind::kFloat:
        return std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
      default:
        return a.has_items() ? same_containers(a, b) : before_.text(a) == after_.text(b);
    }
  }

 private:
  bool same_containers(pickle::Value a, pickle::Value b) {
    const auto [place, is_new] = counterparts_.emplace(a.index, b.index);
    if (!is_new) {
      return place->second == b.index;
    }
    const auto items = before_.items(a);
    const auto counterparts = after_.items(b);
    if (items.size() != counterparts.size()) {
      return false;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!(*this)(items[i], counterparts[i])) {
        return false;
      }
    }
    return (*this)(before_.state(a), after_.state(b));
  }

  const pickle::Document& before_;
  const pickle::Document& after_;
  std::unordered_map<std::uint32_t, std::uint32_t> counterparts_;
};

// Reads all that a value leads to, so that a sanitizer sees every view that points nowhere.
class Walk {
 public:
  explicit Walk(const pickle::Document& document) : document_(document) {}

  unsigned operator()(pickle::Value root) {
    using pickle::Kind;
    std::vector<pickle::Value> pending = {root};  // objects nest without limit
    while (!pending.empty()) {
      const pickle::Value value = pending.back();
      pending.pop_back();
      if (value.kind >= Kind::kString && value.kind <= Kind::kGlobal) {
        if (texts_.insert(value.index).second) {
          for (const char character : document_.text(value)) {
            sum_ += static_cast<unsigned char>(character);
          }
        }
      } else if (value.has_items() && containers_.insert(value.index).second) {
        const auto items = document_.items(value);
        pending.insert(pending.end(), items.begin(), items.end());
        pending.push_back(document_.state(value));
      }
    }
    return sum_;
  }

 private:
  const pickle::Document& document_;
  std::unordered_set<std::uint32_t> texts_;
  std::unordered_set<std::uint32_t> containers_;
  unsigned sum_ = 0;
};

// For the debugger and libFuzzer: what must never be is a crash.
inline void require(bool holds) {
  if (!holds) {
    __builtin_trap();
  }
}

}  // namespace iris::fuzz
