#include "tensor_file/tensor_holders.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "tensor_file/selection.h"

namespace iris {

using pickle::Kind;
using pickle::Value;

// Backwards from the containers that themselves hold a tensor, so that cycles need no care.
TensorHolders::TensorHolders(const TensorFile& file, Way way) : holds_(file.document.container_count()) {
  const pickle::Document& document = file.document;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> holders;  // a container and one that holds it
  std::vector<std::uint32_t> pending;
  const auto mark = [&](std::uint32_t container) {
    if (!holds_[container]) {
      holds_[container] = true;
      pending.push_back(container);
    }
  };
  for (std::size_t i = 0; i < holds_.size(); ++i) {
    const Value container = document.container(i);
    const bool is_list = container.kind == Kind::kList || container.kind == Kind::kTuple;
    if (way == Way::kPlain && !is_list && !container.is_dict()) {
      continue;
    }
    const auto look_at = [&](Value part) {
      if (part.kind == Kind::kExternal) {
        mark(container.index);
      } else if (part.has_items()) {
        holders.emplace_back(part.index, container.index);
      }
    };
    const auto items = document.items(container);
    const bool has_keys = way == Way::kPlain && container.is_dict();
    for (std::size_t at = has_keys ? 1 : 0; at < items.size(); at += has_keys ? 2 : 1) {
      look_at(items[at]);
    }
    if (way == Way::kThroughObjects) {
      look_at(document.state(container));
      if (!why_no_tensor(file, container).empty()) {
        mark(container.index);
      }
    }
  }
  std::ranges::sort(holders);
  while (!pending.empty()) {
    const std::uint32_t container = pending.back();
    pending.pop_back();
    const auto first = std::ranges::lower_bound(holders, std::pair(container, std::uint32_t{0}));
    for (auto holder = first; holder != holders.end() && holder->first == container; ++holder) {
      mark(holder->second);
    }
  }
}

bool TensorHolders::holds(Value value) const {
  return value.kind == Kind::kExternal || (value.has_items() && value.index < holds_.size() && holds_[value.index]);
}

}  // namespace iris
