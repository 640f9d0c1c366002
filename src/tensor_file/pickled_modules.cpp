#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tensor_file/containers.h"
#include "tensor_file/members.h"
#include "tensor_file/module_walk.h"

namespace iris {
namespace {

using pickle::Document;
using pickle::Kind;
using pickle::Value;

// torch.fx pickles a module as a call with its state in front.
bool makes_graph_module(std::string_view name) {
  return name == "torch.fx.graph_module.reduce_graph_module" ||
         name == "torch.fx.graph_module.reduce_package_graph_module";
}

// The dicts that nn.Module.__setstate__ expects in a module's state.
std::optional<ModuleParts> parts_in(const Document& document, Value value) {
  Value state = attributes(document, value);
  if (makes_graph_module(class_of(document, value))) {
    const auto arguments = document.items(document.object(value).arguments);
    state = arguments.empty() ? Value{} : arguments[0];
  }
  const auto part = [&](std::string_view name) {
    const Value* found = document.find(state, name);
    return found == nullptr ? Value{} : *found;
  };
  const ModuleParts parts = {.parameters = part("_parameters"),
                             .buffers = part("_buffers"),
                             .modules = part("_modules"),
                             .not_saved = part("_non_persistent_buffers_set")};
  const bool is_module = parts.parameters.is_dict() && parts.buffers.is_dict() && parts.modules.is_dict();
  return is_module ? std::optional(parts) : std::nullopt;
}

class PickledModules : public ModuleFinder {
 public:
  explicit PickledModules(TensorFile& file) : file_(file) {}

 private:
  std::optional<ModuleParts> find_parts(Value object) override {
    std::optional<ModuleParts> parts = parts_in(file_.document, object);
    if (parts) {
      file_.note_module(std::string(class_of(file_.document, object)));
    }
    return parts;
  }

  TensorFile& file_;
};

}  // namespace

void replace_modules(TensorFile& file) {
  Document& document = file.document;
  std::uint64_t room = ModuleWalk::kMaxNames + (file.file == nullptr ? 0 : file.file->bytes().size());
  std::unordered_map<std::uint32_t, Value> replacements;  // by the module's number
  PickledModules finder(file);
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
