// Modules as torch.nn.Module.state_dict() walks them: those that Python pickled whole, and TorchScript's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// Dicts of a module.
struct ModuleParts {
  pickle::Value parameters;
  pickle::Value buffers;
  pickle::Value modules;
  pickle::Value not_saved = {};  // names of buffers that are not persistent: a set, or kNone
  pickle::Value others = {};     // what else holds tensors and is told of: a dict, or kNone
};

// Each object is looked at once, however often it is met.
class ModuleFinder {
 public:
  virtual ~ModuleFinder() = default;

  // nullptr for what is not a module.
  const ModuleParts* parts_of(pickle::Value value);

 private:
  virtual std::optional<ModuleParts> find_parts(pickle::Value object) = 0;

  std::unordered_map<std::uint32_t, std::optional<ModuleParts>> parts_;
};

// What one module's state_dict() gives (torch/nn/modules/module.py, Module.state_dict and _save_to_state_dict).
class ModuleWalk {
 public:
  // What the names and records of all modules of a file may take, beyond the file's own size.
  static constexpr std::uint64_t kMaxNames = 16 << 20;

  // room: of those bytes, what is left.
  ModuleWalk(TensorFile& file, ModuleFinder& finder, std::uint64_t& room)
      : file_(file), document_(file.document), finder_(finder), room_(room) {}

  // An OrderedDict, new in the document. The others go to file.left_out, under their paths in the module.
  pickle::Value state_dict(pickle::Value module, const ModuleParts& parts);

 private:
  void require(bool holds, const char* fact) const;
  void add_module(const ModuleParts& parts);
  void add_tensors(pickle::Value dict, const std::set<std::string_view>& but);
  pickle::Value detached(pickle::Value value);
  void add_item(pickle::Value value);
  std::string take_name();
  std::string_view name_of_part(pickle::Value name) const;
  std::set<std::string_view> names_in(pickle::Value set);
  void count_step();

  TensorFile& file_;
  pickle::Document& document_;
  ModuleFinder& finder_;
  std::uint64_t& room_;
  std::uint64_t steps_ = 0;
  std::size_t offset_ = 0;
  std::vector<std::string_view> path_;
  std::set<std::string> names_;
  std::vector<pickle::Value> items_;
};

}  // namespace iris
