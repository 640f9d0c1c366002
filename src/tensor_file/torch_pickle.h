// From pickled calls to tensors (torch/_utils.py, torch/serialization.py, torch/jit/_pickle.py).
#pragma once

#include "tensor_file/tensor_file.h"

namespace iris {

// Finds every tensor that the document describes, checks it against its storage's claimed size, and puts it and the
// storage into `file`, the storages without their data. Then every value, and file.root, that was a call for a tensor
// is an index into file.tensors. Throws FormatError.
void resolve_tensors(TensorFile& file);

}  // namespace iris
