// Which names of torch are known: all else is foreign.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

#include "pickle/pickle_reader.h"

namespace iris {

pickle::GlobalUse use_of_torch_global(std::string_view qualified_name);

// Also the classes under "__torch__.", which become plain named values.
pickle::GlobalUse use_of_torchscript_global(std::string_view qualified_name);

// The name after "torch." or "torch.cuda.".
std::optional<std::string_view> torch_name(std::string_view qualified_name);

// How many arguments a call of the function may have: any number, where it is not one of torch's.
struct ArgumentCounts {
  std::size_t least = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max();
};
ArgumentCounts argument_counts_of(std::string_view function);

// "torch.FloatTensor": the classes of tensors before PyTorch 0.4.
bool is_old_tensor_class(std::string_view qualified_name);
// Parameter and Variable.
bool is_parameter_class(std::string_view qualified_name);

// Bytes of an element of "torch.QInt8Storage" and its like, whose tensors are not read; 0 for any other name.
std::size_t size_of_quantized_storage(std::string_view qualified_name);

bool is_untyped_storage(std::string_view qualified_name);

}  // namespace iris
