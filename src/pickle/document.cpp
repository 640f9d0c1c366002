#include "pickle/document.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "io/byte_cursor.h"

namespace iris::pickle {

const Document::Container& Document::at(Value value) const {
  if (!value.has_items()) {
    throw std::logic_error("pickle::Document: not a container");
  }
  return containers_.at(value.index);
}

std::string_view Document::text(Value value) const {
  if (value.kind < Kind::kString || value.kind > Kind::kGlobal) {
    throw std::logic_error("pickle::Document: not a text");
  }
  return texts_.at(value.index);
}

std::span<const Value> Document::items(Value value) const { return at(value).items; }
std::span<Value> Document::items(Value value) { return const_cast<Container&>(at(value)).items; }
std::size_t Document::offset(Value value) const { return at(value).offset; }

std::vector<Entry> Document::entries(Value dict) const {
  std::vector<Entry> all;
  const std::span<const Value> flat = dict.is_dict() ? items(dict) : std::span<const Value>();
  all.reserve(flat.size() / 2);
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    all.push_back({flat[i], flat[i + 1]});
  }
  return all;
}

const Value* Document::find(Value dict, std::string_view key) const {
  const std::span<const Value> flat = dict.is_dict() ? items(dict) : std::span<const Value>();
  for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
    if (flat[i].kind == Kind::kString && text(flat[i]) == key) {
      return &flat[i + 1];
    }
  }
  return nullptr;
}

Value Document::add_view(Kind kind, std::string_view text) {
  texts_.push_back(text);
  return {.kind = kind, .index = static_cast<std::uint32_t>(texts_.size() - 1)};
}

Value Document::add_text(Kind kind, std::string text) {
  owned_texts_.push_back(std::move(text));
  return add_view(kind, owned_texts_.back());
}

Value Document::add_items(Kind kind, std::vector<Value> items, std::size_t offset) {
  if (containers_.size() >= kMaxContainers) {
    fail_at(offset, "more than " + std::to_string(kMaxContainers) + " lists, tuples and dicts");
  }
  containers_.push_back({kind, std::move(items), Value{}, offset});
  return container(containers_.size() - 1);
}

// The parts of an object lie in its items in this order; those at the end that it does not have are not held.
namespace {
enum Slot : std::size_t { kCalled, kName, kArguments, kKeywords, kItems, kPairs };
}

Object Document::object(Value value) const {
  if (value.kind != Kind::kObject) {
    throw std::logic_error("pickle::Document: not an object");
  }
  const auto parts = items(value);
  const auto part = [&](Slot slot) { return slot < parts.size() ? parts[slot] : Value{}; };
  return {part(kCalled), part(kName), part(kArguments), part(kKeywords), part(kItems), part(kPairs)};
}

Value Document::add_object(Value called, Value arguments, Value keywords, std::size_t offset) {
  const Value name = called.kind == Kind::kObject ? object(called).name : called;
  std::vector<Value> parts = {called, name, arguments};
  if (keywords.kind != Kind::kNone) {
    parts.push_back(keywords);
  }
  return add_items(Kind::kObject, std::move(parts), offset);
}

Value& Document::part_of_object(Value object, std::size_t slot) {
  auto& parts = const_cast<Container&>(at(object)).items;
  parts.resize(std::max(parts.size(), slot + 1));
  return parts[slot];
}

void Document::append_to_object(Value object, std::span<const Value> items, std::size_t offset) {
  if (part_of_object(object, kItems).kind == Kind::kNone) {
    const Value list = add_items(Kind::kList, {}, offset);
    part_of_object(object, kItems) = list;
  }
  append(part_of_object(object, kItems), items);
}

void Document::set_in_object(Value object, std::span<const Value> keys_and_values, std::size_t offset) {
  if (part_of_object(object, kPairs).kind == Kind::kNone) {
    const Value dict = add_items(Kind::kDict, {}, offset);
    part_of_object(object, kPairs) = dict;
  }
  append(part_of_object(object, kPairs), keys_and_values);
}

Value Document::add_global(const std::string& name, bool is_mention) {
  const auto [place, is_new] = globals_.try_emplace(name);
  Global& global = place->second;
  if (is_new) {
    global.value = add_view(Kind::kGlobal, place->first);
  }
  if (is_mention && !global.mention) {
    global.mention = mentions_.size();
    mentions_.push_back({place->first});
  }
  if (is_mention) {
    ++mentions_[*global.mention].count;
  }
  return global.value;
}

void Document::append(Value container, std::span<const Value> items) {
  auto& target = const_cast<Container&>(at(container)).items;
  target.insert(target.end(), items.begin(), items.end());
}

void Document::set_state(Value container, Value state) { const_cast<Container&>(at(container)).state = state; }

void Document::replace_items(Value container, std::vector<Value> items) {
  const_cast<Container&>(at(container)).items = std::move(items);
}

Value Document::container(std::size_t number) const {
  return {.kind = containers_.at(number).kind, .index = static_cast<std::uint32_t>(number)};
}

// Equal texts have equal numbers, and each is compared as a whole only once: a small file may use one large text as the
// key of every dict. Sorted, not hashed: whoever made the file could make many texts of one hash.
class Document::TextNumbers {
 public:
  explicit TextNumbers(const std::vector<std::string_view>& texts) : texts_(texts), numbers_(texts.size()) {}

  std::uint32_t of(std::uint32_t index) {
    std::optional<std::uint32_t>& number = numbers_.at(index);
    if (!number) {
      number = by_text_.emplace(texts_[index], index).first->second;
    }
    return *number;
  }

 private:
  const std::vector<std::string_view>& texts_;
  std::vector<std::optional<std::uint32_t>> numbers_;
  std::map<std::string_view, std::uint32_t> by_text_;
};

void Document::drop_duplicate_keys(Value dict, TextNumbers& texts) {
  // Python compares True == 1 == 1.0; a NaN and a tuple are taken as equal to nothing.
  std::map<std::pair<Kind, std::uint64_t>, std::size_t> places;
  std::vector<Value> kept;
  for (const auto& [key, value] : entries(dict)) {
    std::optional<std::pair<Kind, std::uint64_t>> identity;
    const auto as_integer = [](std::int64_t number) {
      return std::pair(Kind::kInt, static_cast<std::uint64_t>(number));
    };
    switch (key.kind) {
      case Kind::kNone:
        identity = {Kind::kNone, 0};
        break;
      case Kind::kBool:
        identity = as_integer(key.boolean);
        break;
      case Kind::kInt:
        identity = as_integer(key.integer);
        break;
      case Kind::kFloat:
        if (key.real == std::floor(key.real) && std::abs(key.real) < 9e18) {
          identity = as_integer(static_cast<std::int64_t>(key.real));
        } else if (!std::isnan(key.real)) {
          identity = {Kind::kFloat, std::bit_cast<std::uint64_t>(key.real)};
        }
        break;
      case Kind::kString:
      case Kind::kBytes:
      case Kind::kBigInt:
      case Kind::kGlobal:
        identity = {key.kind, texts.of(key.index)};
        break;
      case Kind::kObject:
        identity = {Kind::kObject, key.index};
        break;
      case Kind::kTuple:
      case Kind::kFrozenSet:
      case Kind::kCall:
        break;
      default:
        fail_at(offset(dict), "a dict has a key that is not a string, number or tuple");
    }
    if (identity) {
      const auto [place, is_new] = places.emplace(*identity, kept.size() + 1);
      if (!is_new) {
        kept[place->second] = value;
        continue;
      }
    }
    kept.insert(kept.end(), {key, value});
  }
  if (kept.size() != items(dict).size()) {
    containers_[dict.index].items = std::move(kept);
  }
}

// Walks depth first, with a stack of its own: what the root leads to, then the parts of each object that was met. An
// object is one value to whoever holds it. When a container's walk ends, the figures of its parts are known. Meeting a
// container whose walk has begun and not ended means a cycle.
void Document::finish(Value root) {
  TextNumbers texts(texts_);
  for (std::size_t i = 0; i < containers_.size(); ++i) {
    if (container(i).is_dict()) {
      drop_duplicate_keys(container(i), texts);
    }
  }
  struct Figures {
    std::uint64_t walk = 0;  // 0: not begun; values met on all paths, itself included
    std::size_t depth = 0;   // 0: not ended
  };
  struct Visit {
    std::size_t index;
    std::size_t next_part;
  };
  if (!root.has_items()) {
    return;
  }
  const auto part_of = [](const Container& container, std::size_t part) {
    return part < container.items.size() ? container.items[part] : container.state;
  };
  const auto is_walked = [](Value value) { return value.has_items() && value.kind != Kind::kObject; };
  std::vector<Figures> figures(containers_.size());
  std::vector<Visit> visits;
  std::vector<std::size_t> starts;  // the root, and objects
  const auto start_later = [&](std::size_t index) {
    figures[index].walk = 1;
    starts.push_back(index);
  };
  start_later(root.index);
  while (!visits.empty() || !starts.empty()) {
    if (visits.empty()) {
      visits.push_back({starts.back(), 0});
      starts.pop_back();
    }
    Visit& visit = visits.back();
    const Container& container = containers_[visit.index];
    Figures& own = figures[visit.index];
    if (visit.next_part > container.items.size()) {
      std::size_t deepest = 0;
      for (std::size_t part = 0; part <= container.items.size(); ++part) {
        const Value value = part_of(container, part);
        own.walk += is_walked(value) ? figures[value.index].walk : 1;
        own.walk = std::min(own.walk, kMaxWalk + 1);
        deepest = std::max(deepest, is_walked(value) ? figures[value.index].depth : 0);
      }
      own.depth = deepest + 1;
      if (own.depth > kMaxDepth) {
        fail_at(container.offset, "nested more than " + std::to_string(kMaxDepth) + " levels deep");
      }
      if (own.walk > kMaxWalk) {
        fail_at(container.offset, "shared values unfold to more than " + std::to_string(kMaxWalk));
      }
      visits.pop_back();
      continue;
    }
    const Value value = part_of(container, visit.next_part++);
    if (!value.has_items() || figures[value.index].depth != 0) {
      continue;
    }
    if (value.kind == Kind::kObject) {
      if (figures[value.index].walk == 0) {
        start_later(value.index);
      }
      continue;
    }
    require_at(containers_[value.index].offset, figures[value.index].walk == 0, "a value contains itself");
    figures[value.index].walk = 1;
    visits.push_back({value.index, 0});
  }
}

}  // namespace iris::pickle
