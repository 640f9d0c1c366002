// Any model's file, as plain data: no LibTorch in it.
#pragma once

#include <memory>
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

// A TorchScript module or a C++ archive, for LibTorch to load: whatever its tensors and objects are, they are not read.
struct TorchScriptArchive {
  std::shared_ptr<const FileBytes> file;
  std::string names;  // the content of kNamesEntry; empty: there is none

  void require_unchanged() const { file->require_unchanged(); }
};

// What its iris.json says; of tensors, IrisNet's names. Throws FormatError.
ModelNames names_of(const TensorFile& file);
ModelNames names_of(const TorchScriptArchive& archive);
ModelNames names_of(const Pt2Archive& archive);

using RunnableFile = std::variant<TensorFile, TorchScriptArchive, Pt2Archive>;

// Told by content; the data's CRCs are checked, but for a package's. "-" is standard input. Throws FormatError("PATH:
// …").
RunnableFile read_runnable_file(const std::string& path, FileBytes::Reading reading = FileBytes::Reading::kMapped);

}  // namespace iris
