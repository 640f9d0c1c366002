// One function per container: from a file of that kind (kind_of_file) to a TensorFile. All throw FormatError, without
// the path.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/file_bytes.h"
#include "tensor_file/tensor_file.h"
#include "tensor_file/zip_reader.h"

namespace iris {

// torch.save since 1.6, torch.jit.save and C++ torch::save.
TensorFile read_zip_container(const ZipReader& zip, std::shared_ptr<const FileBytes> file);

// torch.save before 1.6.
TensorFile read_legacy_container(std::shared_ptr<const FileBytes> file);

// safetensors (the format's README). Its __metadata__ is in the root's state, under that name.
TensorFile read_safetensors_container(std::shared_ptr<const FileBytes> file);
inline constexpr const char* kSafetensorsMetadata = "__metadata__";

// Throws a FormatError that says what to do if the bytes are the pickle of a whole model. `fact`: why they were
// refused.
void throw_as_whole_model_if_so(std::string_view pickle, const std::string& fact);

}  // namespace iris
