// One function per container: the file's bytes, of that container by its first bytes, to a TensorFile.
#pragma once

#include <memory>

#include "state_dict/file_bytes.h"
#include "state_dict/tensor_file.h"

namespace iris {

// torch.save since 1.6, torch.jit.save and C++ torch::save.
TensorFile read_zip_container(std::shared_ptr<const FileBytes> file);

}  // namespace iris
