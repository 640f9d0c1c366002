#include "tensor_file/module_walk.h"

#include <utility>

#include "io/byte_cursor.h"
#include "text.h"

namespace iris {

using pickle::Document;
using pickle::Kind;
using pickle::Value;

namespace {

// Parameters, buffers and modules met in one module, on all paths. The largest models have some 100,000.
constexpr std::uint64_t kMostSteps = 2'000'000;

}  // namespace

const ModuleParts* ModuleFinder::parts_of(Value value) {
  if (value.kind != Kind::kObject) {
    return nullptr;
  }
  const auto [place, is_new] = parts_.try_emplace(value.index);
  if (is_new) {
    place->second = find_parts(value);
  }
  return place->second ? &*place->second : nullptr;
}

Value ModuleWalk::state_dict(Value module, const ModuleParts& parts) {
  const std::size_t offset = document_.offset(module);
  offset_ = offset;
  add_module(parts);
  return document_.add_items(Kind::kOrderedDict, std::move(items_), offset);
}

void ModuleWalk::require(bool holds, const char* fact) const { require_at(offset_, holds, fact); }

void ModuleWalk::add_module(const ModuleParts& parts) {
  require(path_.size() < Document::kMaxDepth, "its modules are nested too deep, or contain themselves");
  add_tensors(parts.parameters, {});
  add_tensors(parts.buffers, names_in(parts.not_saved));
  for (const auto& [name, other] : document_.entries(parts.others)) {
    count_step();
    path_.push_back(name_of_part(name));
    file_.left_out.push_back({take_name(), other});
    path_.pop_back();
  }
  for (const auto& [name, inner] : document_.entries(parts.modules)) {
    count_step();
    if (inner.kind == Kind::kNone) {
      continue;
    }
    path_.push_back(name_of_part(name));
    if (const ModuleParts* inner_parts = finder_.parts_of(inner)) {
      add_module(*inner_parts);
    } else {
      add_item(inner);  // not spelled out as a module's state is: whoever wants it is told
    }
    path_.pop_back();
  }
}

void ModuleWalk::add_tensors(Value dict, const std::set<std::string_view>& but) {
  for (const auto& [name, value] : document_.entries(dict)) {
    count_step();
    const std::string_view text = name_of_part(name);
    if (value.kind == Kind::kNone || but.contains(text)) {
      continue;
    }
    path_.push_back(text);
    add_item(detached(value));
    path_.pop_back();
  }
}

// As state_dict() gives it: without requires_grad, and no Parameter.
Value ModuleWalk::detached(Value value) {
  if (file_.tensor(value) == nullptr) {
    return value;
  }
  TensorRecord tensor = *file_.tensor(value);
  tensor.requires_grad = false;
  tensor.is_parameter = false;
  return file_.add(std::move(tensor));
}

// The path, in dots.
std::string ModuleWalk::take_name() {
  std::size_t size = sizeof(TensorRecord) + path_.size();
  for (const std::string_view part : path_) {
    size += part.size();
  }
  require(size <= room_, "the names of its tensors take more memory than its size warrants");
  room_ -= size;
  std::string name;
  for (const std::string_view part : path_) {
    name.append(name.empty() ? "" : ".").append(part);
  }
  return name;
}

void ModuleWalk::add_item(Value value) {
  std::string name = take_name();
  if (!names_.insert(name).second) {
    fail_at(offset_, "two tensors of a module have the name " + text::quoted(name));
  }
  items_.insert(items_.end(), {document_.add_text(Kind::kString, std::move(name)), value});
}

std::string_view ModuleWalk::name_of_part(Value name) const {
  require(name.kind == Kind::kString, "a module's part has a name that is not text");
  return document_.text(name);
}

std::set<std::string_view> ModuleWalk::names_in(Value set) {
  std::set<std::string_view> names;
  if (set.kind == Kind::kSet || set.kind == Kind::kFrozenSet || set.kind == Kind::kList) {
    for (const Value name : document_.items(set)) {
      count_step();
      if (name.kind == Kind::kString) {
        names.insert(document_.text(name));
      }
    }
  }
  return names;
}

// Modules without tensors, held by each other many times, add no names.
void ModuleWalk::count_step() {
  ++steps_;
  require(steps_ <= kMostSteps, "its modules unfold to too many");
}

}  // namespace iris
