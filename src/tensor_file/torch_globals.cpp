#include "tensor_file/torch_globals.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string>

#include "tensor_file/dtype.h"

namespace iris {
namespace {

struct Function {
  std::string_view name;
  ArgumentCounts arguments;
};

constexpr Function kFunctions[] = {
    {"torch._utils._rebuild_tensor", {4, 4}},
    {"torch._utils._rebuild_tensor_v2", {6, 7}},
    {"torch._utils._rebuild_tensor_v3", {7, 8}},
    {"torch._utils._rebuild_parameter", {3, 3}},
    {"torch._utils._rebuild_parameter_with_state", {4, 4}},
    {"torch._tensor._rebuild_from_type_v2", {4, 4}},
    {"torch.Size", {1, 1}},
    {"torch.device", {1, 2}},
    {"torch.serialization._get_layout", {1, 1}},
    {"builtins.complex", {2, 2}},
    // In TorchScript archives only.
    {"torch.jit._pickle.build_intlist", {1, 2}},
    {"torch.jit._pickle.build_tensorlist", {1, 2}},
    {"torch.jit._pickle.build_doublelist", {1, 2}},
    {"torch.jit._pickle.build_boollist", {1, 2}},
    {"torch.jit._pickle.restore_type_tag", {1, 2}},
};

// dtypes that no tensor of ours has, and the ways to quantize one: plain values, which torch.load reads.
constexpr std::string_view kPlainNames[] = {"qint8",
                                            "quint8",
                                            "qint32",
                                            "quint4x2",
                                            "quint2x4",
                                            "uint1",
                                            "uint2",
                                            "uint3",
                                            "uint4",
                                            "uint5",
                                            "uint6",
                                            "uint7",
                                            "int1",
                                            "int2",
                                            "int3",
                                            "int4",
                                            "int5",
                                            "int6",
                                            "int7",
                                            "per_tensor_affine",
                                            "per_tensor_symmetric",
                                            "per_channel_affine",
                                            "per_channel_symmetric",
                                            "per_channel_affine_float_qparams"};

const Function* find_function(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &Function::name);
  return found == std::end(kFunctions) ? nullptr : found;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
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

ArgumentCounts argument_counts_of(std::string_view function) {
  const Function* known = find_function(function);
  return known == nullptr ? ArgumentCounts{} : known->arguments;
}

std::size_t size_of_quantized_storage(std::string_view qualified) {
  if (is_one_of(qualified,
                {"torch.QInt8Storage", "torch.QUInt8Storage", "torch.QUInt4x2Storage", "torch.QUInt2x4Storage"})) {
    return 1;
  }
  return qualified == "torch.QInt32Storage" ? 4 : 0;
}

bool is_untyped_storage(std::string_view qualified) {
  return is_one_of(qualified, {"torch.storage.UntypedStorage", "torch.UntypedStorage"});
}

bool is_old_tensor_class(std::string_view qualified) {
  constexpr std::string_view kTensor = "Tensor";
  const std::optional<std::string_view> name = torch_name(qualified);
  return name && name->ends_with(kTensor) &&
         dtype_of_storage_class(std::string(name->substr(0, name->size() - kTensor.size())) + "Storage").has_value();
}

bool is_parameter_class(std::string_view qualified) {
  return is_one_of(qualified,
                   {"torch.nn.parameter.Parameter", "torch.nn.Parameter", "torch.autograd.variable.Variable"});
}

pickle::GlobalUse use_of_torch_global(std::string_view name) {
  using pickle::GlobalUse;
  if (find_function(name) != nullptr && !name.starts_with("torch.jit.")) {
    return GlobalUse::kFunction;
  }
  const std::optional<std::string_view> in_torch = torch_name(name);
  if (in_torch && (dtype_of_storage_class(*in_torch) || dtype_of_name(*in_torch) ||
                   std::ranges::find(kPlainNames, *in_torch) != std::end(kPlainNames))) {
    return GlobalUse::kName;
  }
  if (is_untyped_storage(name) || name == "torch.Tensor" || is_parameter_class(name) || is_old_tensor_class(name)) {
    return GlobalUse::kName;
  }
  return GlobalUse::kForeign;
}

pickle::GlobalUse use_of_torchscript_global(std::string_view name) {
  using pickle::GlobalUse;
  if (name.starts_with("__torch__.")) {
    return GlobalUse::kName;
  }
  return find_function(name) != nullptr ? GlobalUse::kFunction : use_of_torch_global(name);
}

}  // namespace iris
