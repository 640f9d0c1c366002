#include "model/file/model_file.h"

#include <string_view>
#include <utility>

#include "text.h"
#include "with_place.h"

namespace iris {

ModelFile read_model_file(const std::string& path, FileBytes::Reading reading) {
  return with_place(text::input_name(path), [&]() -> ModelFile {
    const OpenedFile file(FileBytes::open(path, reading));
    if (auto archive = read_pt2_archive(file)) {
      return std::move(*archive);
    }
    return read_tensor_file(file);
  });
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
