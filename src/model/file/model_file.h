// Any model's file, as plain data: no LibTorch in it.
#pragma once

#include <string>
#include <variant>

#include "io/file_bytes.h"
#include "model/file/model_names.h"
#include "model/file/pt2_archive.h"
#include "tensor_file/tensor_file.h"

namespace iris {

using ModelFile = std::variant<TensorFile, Pt2Archive>;

// Told by content. "-" is standard input. Throws FormatError("PATH: …").
ModelFile read_model_file(const std::string& path, FileBytes::Reading reading = FileBytes::Reading::kMapped);

// What its iris.json says; of a state_dict, IrisNet's names. Throws FormatError.
ModelNames names_of(const ModelFile& file);

}  // namespace iris
