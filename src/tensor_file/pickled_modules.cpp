#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/byte_cursor.h"
#include "tensor_file/containers.h"
#include "tensor_file/members.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Document;
using pickle::Kind;
using pickle::Value;

// What the names and records of all modules may take, beyond the file's own size.
constexpr std::uint64_t kMaxNames = 16 << 20;

// Parameters, buffers and modules met in one module, on all paths. The largest models have some 100,000.
constexpr std::uint64_t kMostSteps = 2'000'000;

// The dicts that nn.Module.__setstate__ expects in a module's state.
struct ModuleParts {
  Value parameters;
  Value buffers;
  Value modules;
  Value not_saved;  // names of buffers that are not persistent: a set, or kNone
};

// torch.fx pickles a module as a call with its state in front.
bool makes_graph_module(std::string_view name) {
  return name == "torch.fx.graph_module.reduce_graph_module" ||
         name == "torch.fx.graph_module.reduce_package_graph_module";
}

std::optional<ModuleParts> find_parts(const Document& document, Value value) {
  Value state = attributes(document, value);
  if (makes_graph_module(class_of(document, value))) {
    const auto arguments = document.items(document.object(value).arguments);
    state = arguments.empty() ? Value{} : arguments[0];
  }
  const auto part = [&](std::string_view name) {
    const Value* found = document.find(state, name);
    return found == nullptr ? Value{} : *found;
  };
  const ModuleParts parts = {part("_parameters"), part("_buffers"), part("_modules"),
                             part("_non_persistent_buffers_set")};
  const bool is_module = parts.parameters.is_dict() && parts.buffers.is_dict() && parts.modules.is_dict();
  return is_module ? std::optional(parts) : std::nullopt;
}

// nullptr for what is not a module. Each object is looked at once, however often it is met.
class ModuleFinder {
 public:
  explicit ModuleFinder(const Document& document) : document_(document) {}

  const ModuleParts* parts_of(Value value) {
    if (value.kind != Kind::kObject) {
      return nullptr;
    }
    const auto [place, is_new] = parts_.try_emplace(value.index);
    if (is_new) {
      place->second = find_parts(document_, value);
    }
    return place->second ? &*place->second : nullptr;
  }

 private:
  const Document& document_;
  std::unordered_map<std::uint32_t, std::optional<ModuleParts>> parts_;
};

// What one module's state_dict() gives (torch/nn/modules/module.py, Module.state_dict and _save_to_state_dict).
class ModuleWalk {
 public:
  ModuleWalk(TensorFile& file, ModuleFinder& finder, std::uint64_t& room)
      : file_(file), document_(file.document), finder_(finder), room_(room) {}

  Value state_dict(Value module, const ModuleParts& parts) {
    const std::size_t offset = document_.offset(module);
    offset_ = offset;
    add_module(module, parts);
    return document_.add_items(Kind::kOrderedDict, std::move(items_), offset);
  }

 private:
  void require(bool holds, const char* fact) const { require_at(offset_, holds, fact); }

  void add_module(Value module, const ModuleParts& parts) {
    require(path_.size() < Document::kMaxDepth, "its modules are nested too deep, or contain themselves");
    file_.note_module(std::string(class_of(document_, module)));
    add_tensors(parts.parameters, {});
    add_tensors(parts.buffers, names_in(parts.not_saved));
    for (const auto& [name, inner] : document_.entries(parts.modules)) {
      count_step();
      if (inner.kind == Kind::kNone) {
        continue;
      }
      path_.push_back(name_of_part(name));
      if (const ModuleParts* inner_parts = finder_.parts_of(inner)) {
        add_module(inner, *inner_parts);
      } else {
        add_item(inner);  // not spelled out as a module's state is: whoever wants it is told
      }
      path_.pop_back();
    }
  }

  void add_tensors(Value dict, const std::set<std::string_view>& but) {
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
  Value detached(Value value) {
    if (file_.tensor(value) == nullptr) {
      return value;
    }
    TensorRecord tensor = *file_.tensor(value);
    tensor.requires_grad = false;
    tensor.is_parameter = false;
    return file_.add(std::move(tensor));
  }

  void add_item(Value value) {
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
    if (!names_.insert(name).second) {
      fail_at(offset_, "two tensors of a module have the name " + text::quoted(name));
    }
    items_.insert(items_.end(), {document_.add_text(Kind::kString, std::move(name)), value});
  }

  std::string_view name_of_part(Value name) const {
    require(name.kind == Kind::kString, "a module's part has a name that is not text");
    return document_.text(name);
  }

  std::set<std::string_view> names_in(Value set) {
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
  void count_step() {
    ++steps_;
    require(steps_ <= kMostSteps, "its modules unfold to too many");
  }

  TensorFile& file_;
  Document& document_;
  ModuleFinder& finder_;
  std::uint64_t& room_;
  std::uint64_t steps_ = 0;
  std::size_t offset_ = 0;
  std::vector<std::string_view> path_;
  std::set<std::string> names_;
  std::vector<Value> items_;
};

}  // namespace

void replace_modules(TensorFile& file) {
  Document& document = file.document;
  std::uint64_t room = kMaxNames + (file.file == nullptr ? 0 : file.file->bytes().size());
  std::unordered_map<std::uint32_t, Value> replacements;  // by the module's number
  ModuleFinder finder(document);
  const auto replaced = [&](Value value) {
    const auto found = value.kind == Kind::kObject ? replacements.find(value.index) : replacements.end();
    if (found != replacements.end()) {
      return found->second;
    }
    const ModuleParts* parts = finder.parts_of(value);
    if (parts == nullptr) {
      return value;
    }
    const Value state_dict = ModuleWalk(file, finder, room).state_dict(value, *parts);
    replacements.emplace(value.index, state_dict);
    return state_dict;
  };
  file.root = replaced(file.root);
  std::vector<bool> is_met(document.container_count());
  std::vector<Value> pending = {file.root};
  while (!pending.empty()) {
    const Value container = pending.back();
    pending.pop_back();
    if (!container.has_items() || container.index >= is_met.size() || is_met[container.index]) {
      continue;  // a number past the end is a module's, just made
    }
    is_met[container.index] = true;
    for (Value& item : document.items(container)) {
      item = replaced(item);
      pending.push_back(item);
    }
    const Value state = replaced(document.state(container));
    document.set_state(container, state);
    pending.push_back(state);
  }
}

void TensorFile::note_module(const std::string& name) {
  const bool is_of_torch = name.starts_with("torch.nn.modules.") || name.starts_with("torch.nn.parallel.");
  if (!is_of_torch && std::ranges::find(module_classes, name) == module_classes.end() &&
      module_classes.size() < kMostModuleClasses) {
    module_classes.push_back(name);
  }
  has_modules = true;
}

}  // namespace iris
