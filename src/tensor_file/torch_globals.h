// Which names of torch a pickle may use: all else is refused on its name alone.
#pragma once

#include <optional>
#include <string_view>

#include "pickle/pickle_reader.h"

namespace iris {

pickle::GlobalUse use_of_torch_global(std::string_view qualified_name);

// Also the classes under "__torch__.", which become plain named values.
pickle::GlobalUse use_of_torchscript_global(std::string_view qualified_name);

// The name after "torch." or "torch.cuda.".
std::optional<std::string_view> torch_name(std::string_view qualified_name);

bool is_untyped_storage(std::string_view qualified_name);

}  // namespace iris
