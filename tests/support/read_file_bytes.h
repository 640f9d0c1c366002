// Reading bytes as a file of tensors.
#pragma once

#include <string>

#include "error.h"
#include "support/errors.h"
#include "support/memory_file.h"
#include "tensor_file/tensor_file.h"

namespace iris::test {

inline TensorFile read_bytes(const std::string& bytes) {
  return read_tensor_file(MemoryFile(bytes).path());  // mapped, so that the file may go
}

// Why the file is refused, without its path; "" when it is not.
inline std::string file_error(const MemoryFile& file) {
  const std::string message = error_of<FormatError>([&] { read_tensor_file(file.path()); });
  const std::string place = file.path() + ": ";
  return message.starts_with(place) ? message.substr(place.size()) : message;
}

inline std::string file_error(const std::string& bytes) { return file_error(MemoryFile(bytes)); }

}  // namespace iris::test
