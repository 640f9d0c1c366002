// From pickled calls to tensors: which names of torch a file may use, and what they mean (torch/_utils.py,
// torch/serialization.py, torch/jit/_pickle.py).
#pragma once

#include <string_view>

#include "pickle/pickle_reader.h"
#include "state_dict/tensor_file.h"

namespace iris {

pickle::GlobalUse use_of_torch_global(std::string_view qualified_name);

// Also the classes under "__torch__.", which become plain named values.
pickle::GlobalUse use_of_torchscript_global(std::string_view qualified_name);

// Finds every tensor that the document describes, checks it against its storage's claimed size, and puts it and the
// storage into `file`, the storages without their data. Then every value, and file.root, that was a call for a tensor
// is an index into file.tensors. Throws FormatError.
void resolve_tensors(TensorFile& file);

// Throws FormatError unless the record's fields are what TensorRecord promises for a storage of that many bytes.
void check_tensor(const TensorRecord& tensor, std::uint64_t storage_size);

// Gives the storage its bytes; swaps them (into a copy) when the file is of the other byte order. Throws FormatError
// unless there are exactly as many as the pickle says.
void attach_data(TensorFile& file, std::uint32_t storage, std::span<const std::byte> data, bool is_big_endian);

}  // namespace iris
