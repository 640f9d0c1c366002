#include "tensor_file/torch_globals.h"

#include <algorithm>
#include <initializer_list>

#include "tensor_file/dtype.h"

namespace iris {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<std::string_view> torch_name(std::string_view qualified) {
  for (const std::string_view prefix : {"torch.cuda.", "torch."}) {
    if (qualified.starts_with(prefix)) {
      return qualified.substr(prefix.size());
    }
  }
  return std::nullopt;
}

bool is_untyped_storage(std::string_view qualified) {
  return is_one_of(qualified, {"torch.storage.UntypedStorage", "torch.UntypedStorage"});
}

pickle::GlobalUse use_of_torch_global(std::string_view name) {
  using pickle::GlobalUse;
  if (is_one_of(name,
                {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
                 "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
                 "torch._tensor._rebuild_from_type_v2", "torch.Size", "torch.device"})) {
    return GlobalUse::kFunction;
  }
  const std::optional<std::string_view> in_torch = torch_name(name);
  if (in_torch && (dtype_of_storage_class(*in_torch) || dtype_of_name(*in_torch))) {
    return GlobalUse::kName;
  }
  if (is_untyped_storage(name) || is_one_of(name, {"torch.Tensor", "torch.nn.parameter.Parameter"})) {
    return GlobalUse::kName;
  }
  return GlobalUse::kRefused;
}

pickle::GlobalUse use_of_torchscript_global(std::string_view name) {
  using pickle::GlobalUse;
  if (name.starts_with("__torch__.")) {
    return GlobalUse::kClass;
  }
  if (is_one_of(name, {"torch.jit._pickle.build_intlist", "torch.jit._pickle.build_tensorlist",
                       "torch.jit._pickle.build_doublelist", "torch.jit._pickle.build_boollist",
                       "torch.jit._pickle.restore_type_tag"})) {
    return GlobalUse::kFunction;
  }
  return use_of_torch_global(name);
}

}  // namespace iris
