// Other names for a dictionary's tensors.
#pragma once

#include <cstddef>
#include <string>

#include "tensor_file/tensor_file.h"

namespace iris {

// Drops the prefix from those names of the dict that begin with it, and from the module paths in its _metadata, where
// the modules outside the prefix go: "module." leaves what the inner module's own state_dict() would hold. Returns how
// many names began with the prefix; where none did, nothing is changed. Throws FormatError, without a path, where two
// entries would have one name. Not undone then: the file is of no more use.
std::size_t strip_prefix(TensorFile& file, pickle::Value dict, const std::string& prefix);

}  // namespace iris
