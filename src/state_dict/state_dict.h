// A Python state_dict in C++: read_state_dict makes LibTorch tensors of a file, load_state_dict pours them into a
// module.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/ordered_dict.h>

#include <optional>
#include <string>

#include "state_dict/tensor_file.h"

namespace torch::nn {
class Module;
}

namespace iris {

// Tensors by name, in the file's order, on the CPU. They keep dtype, shape, strides, requires_grad, and sharing: two
// names on one storage share it here too.
using StateDict = torch::OrderedDict<std::string, at::Tensor>;

// Reads the state_dict in a file of any container (see read_tensor_file and select_state_dict, whose key this is).
// Tensor data is mapped, not copied, and so read only when it is used; the tensors keep the mapping alive. Writing to
// them is safe and never reaches the file. Throws FormatError("PATH: …").
StateDict read_state_dict(const std::string& path, const std::optional<std::string>& key = std::nullopt);

// The same from a file that is open already. Throws FormatError without the path.
StateDict state_dict_of(const TensorFile& file, const std::optional<std::string>& key);

// Copies every tensor into the module's parameter or buffer of that name, converting dtype and device as Python's
// load_state_dict(strict=True) does. All is checked first: either every tensor is copied or, with an InputError that
// lists all missing keys, unexpected keys and shape mismatches, none. A prefix that all names begin with, "module."
// (DataParallel) or "_orig_mod." (torch.compile), is passed over unless the module has it too.
// The module must not be used by another thread meanwhile.
void load_state_dict(torch::nn::Module& module, const StateDict& state_dict);

}  // namespace iris
