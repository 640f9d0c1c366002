// What a file claims of its tensors and storages, against what is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor_file/tensor_file.h"

namespace iris {

// Throws FormatError unless the record's fields are what TensorRecord promises for a storage of that many bytes.
void check_tensor(const TensorRecord& tensor, std::uint64_t storage_size);

// Gives the storage its bytes; swaps them (into a copy) when the file is of the other byte order. Throws FormatError
// unless there are exactly as many as the pickle says.
void attach_data(TensorFile& file, std::uint32_t storage, std::span<const std::byte> data, bool is_big_endian);

}  // namespace iris
