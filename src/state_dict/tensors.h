// Between LibTorch's tensors and a TensorFile.
#pragma once

#include <optional>
#include <string>

#include "state_dict/state_dict.h"
#include "state_dict/tensor_file.h"

namespace iris {

// The tensors of select_state_dict(file, key), mapped. Throws FormatError without the path.
StateDict tensors_of(const TensorFile& file, const std::optional<std::string>& key);

// A file in memory whose root is an OrderedDict of the tensors, which it keeps alive. Throws InputError for tensors
// that have no storage of their own (sparse, quantized, meta).
TensorFile tensor_file_of(const StateDict& state_dict);

}  // namespace iris
