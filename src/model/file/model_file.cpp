#include "model/file/model_file.h"

#include <string_view>
#include <utility>

#include "error.h"
#include "io/file_bytes.h"

namespace iris {

ModelFile read_model_file(const std::string& path) {
  try {
    auto file = FileBytes::open(path);
    if (auto archive = read_pt2_archive(file)) {
      return std::move(*archive);
    }
    return read_tensor_file(std::move(file));
  } catch (const FormatError& error) {
    throw FormatError((path == "-" ? "stdin" : path) + ": " + error.what());
  }
}

ModelNames names_of(const ModelFile& file) {
  const auto* tensors = std::get_if<TensorFile>(&file);
  if (tensors != nullptr && (!tensors->is_torchscript || tensors->is_cpp_archive())) {
    return {iris_features(), iris_labels()};
  }
  const std::string_view json = tensors != nullptr ? tensors->names : std::get<Pt2Archive>(file).names;
  return json.empty() ? ModelNames{} : parse_model_names(json);
}

}  // namespace iris
