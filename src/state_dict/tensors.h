// LibTorch's tensors out of a TensorFile; tensor_file_builder.h is the other way.
#pragma once

#include <optional>
#include <string>

#include "state_dict/state_dict.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// The tensors of select_state_dict(file, key), mapped. Throws FormatError without the path.
StateDict tensors_of(const TensorFile& file, const std::optional<std::string>& key);

// The tensors of any value in the file (named_tensors), mapped. A tensor itself has the name "".
StateDict tensors_in(const TensorFile& file, pickle::Value value);

// Throws FormatError("PATH: …") where tensors are mapped from a file that was changed since it was opened.
void require_unchanged(const StateDict& state_dict);

}  // namespace iris
