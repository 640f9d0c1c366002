#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "io/byte_cursor.h"
#include "tensor_file/containers.h"
#include "tensor_file/members.h"
#include "tensor_file/module_walk.h"
#include "tensor_file/script_code.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_holders.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// torch/csrc/jit/api/module.h: ParameterPolicy, BufferPolicy and ModulePolicy say what is which.
class ScriptModules : public ModuleFinder {
 public:
  ScriptModules(TensorFile& file, ScriptCode& code)
      : file_(file), code_(code), holders_(file, TensorHolders::Way::kThroughObjects) {}

 private:
  std::optional<ModuleParts> find_parts(Value object) override {
    const ScriptClass* its_class = module_class(object);
    if (its_class == nullptr) {
      return std::nullopt;
    }
    std::vector<Value> parameters;
    std::vector<Value> buffers;
    std::vector<Value> modules;
    std::vector<Value> others;
    const Value state = file_.document.state(object);
    std::map<std::string_view, Value> values = values_of(state);
    const auto put = [&](std::vector<Value>& part, std::string_view name, Value value) {
      part.insert(part.end(), {file_.document.add_text(Kind::kString, std::string(name)), value});
    };
    for (const auto& [name, type] : its_class->attributes) {
      const auto found = values.find(name);
      if (found == values.end()) {  // a constant, which is part of the code
        continue;
      }
      const Value value = found->second;
      if (its_class->parameters.contains(name) && is_tensor(value)) {
        put(parameters, name, value);
      } else if (type == "Tensor" && its_class->buffers.contains(name) && is_tensor(value)) {
        put(buffers, name, value);
      } else if (module_class(value) != nullptr) {
        put(modules, name, value);
      } else if (holders_.holds(value)) {
        put(others, name, value);
        file_.names_no_buffers |= !its_class->names_buffers && type == "Tensor";
      }
      values.erase(found);
    }
    for (const auto& [name, value] : values) {
      if (holders_.holds(value)) {
        put(others, name, value);
      }
    }
    if (!state.is_dict() && holders_.holds(state)) {  // made by a __getstate__ in the code, for a __setstate__ there
      put(others, "__getstate__()", state);
    }
    return ModuleParts{.parameters = dict_of(std::move(parameters)),
                       .buffers = dict_of(std::move(buffers)),
                       .modules = dict_of(std::move(modules)),
                       .others = dict_of(std::move(others))};
  }

  const ScriptClass* module_class(Value value) {
    const ScriptClass* found = value.kind == Kind::kObject ? code_.find(class_of(file_.document, value)) : nullptr;
    return found != nullptr && found->is_module ? found : nullptr;
  }

  // Those under texts.
  std::map<std::string_view, Value> values_of(Value state) const {
    std::map<std::string_view, Value> values;
    for (const auto& [key, value] : file_.document.entries(state)) {
      if (key.kind == Kind::kString) {
        values.emplace(file_.document.text(key), value);
      }
    }
    return values;
  }

  bool is_tensor(Value value) const { return file_.tensor(value) != nullptr || !why_no_tensor(file_, value).empty(); }

  Value dict_of(std::vector<Value> entries) { return file_.document.add_items(Kind::kDict, std::move(entries), 0); }

  TensorFile& file_;
  ScriptCode& code_;
  TensorHolders holders_;
};

}  // namespace

void replace_script_modules(TensorFile& file, const ZipReader& zip, const std::string& root) {
  ScriptCode code(zip, root);
  ScriptModules modules(file, code);
  const ModuleParts* parts = modules.parts_of(file.root);
  if (parts == nullptr) {
    const std::string name =
        file.root.kind == Kind::kObject ? std::string(class_of(file.document, file.root)) : "its root";
    throw FormatError("zip: its code does not have the module " + text::printable(name) +
                      ", and would say which tensors are its parameters");
  }
  std::uint64_t room = ModuleWalk::kMaxNames + file.file->bytes().size();
  file.root = ModuleWalk(file, modules, room).state_dict(file.root, *parts);
}

}  // namespace iris
