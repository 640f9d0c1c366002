#include "model/file/model_file.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "io/bytes.h"
#include "tensor_file/containers.h"
#include "tensor_file/tensor_writer.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

// nullopt where the file is another one.
std::optional<TorchScriptArchive> read_torchscript_archive(const OpenedFile& file) {
  constexpr std::string_view kConstants = "/constants.pkl";
  if (!file.zip) {
    return std::nullopt;
  }
  const auto& entries = file.zip->entries();
  const auto constants = std::find_if(entries.begin(), entries.end(), [&](const ZipEntry& entry) {
    return entry.name.ends_with(kConstants) && entry.name.find('/') + kConstants.size() == entry.name.size();
  });
  if (constants == entries.end()) {
    return std::nullopt;
  }
  check_inflated_size(*file.zip);
  const std::string root(constants->name.substr(0, constants->name.size() - kConstants.size() + 1));
  TorchScriptArchive archive{.file = file.bytes, .names = {}};
  for (const ZipEntry& entry : entries) {
    if (entry.method == 0) {
      const auto data = ZipReader::checked(entry);
      if (entry.name == root + std::string(kNamesEntry)) {
        archive.names = text_of(data);
      }
    }
  }
  return archive;
}

ModelNames names_in(std::string_view json) { return json.empty() ? ModelNames() : parse_model_names(json); }

}  // namespace

ModelFile read_model_file(const std::string& path, FileBytes::Reading reading) {
  return with_place(text::input_name(path), [&]() -> ModelFile {
    const auto bytes = open_file(path, reading);
    return read_whole(*bytes, [&]() -> ModelFile {
      const OpenedFile file(bytes);
      if (auto archive = read_pt2_archive(file)) {
        return std::move(*archive);
      }
      return read_tensor_file(file);
    });
  });
}

RunnableFile read_runnable_file(const std::string& path, FileBytes::Reading reading) {
  return with_place(text::input_name(path), [&]() -> RunnableFile {
    const auto bytes = open_file(path, reading);
    return read_whole(*bytes, [&]() -> RunnableFile {
      const OpenedFile file(bytes);
      if (auto archive = read_pt2_archive(file)) {
        return std::move(*archive);
      }
      if (auto archive = read_torchscript_archive(file)) {
        return std::move(*archive);
      }
      TensorFile tensors = read_tensor_file(file);
      verify_data(tensors);
      return tensors;
    });
  });
}

ModelNames names_of(const TensorFile& /*file*/) { return {iris_features(), iris_labels(), Outputs::kLogits}; }
ModelNames names_of(const TorchScriptArchive& archive) { return names_in(archive.names); }
ModelNames names_of(const Pt2Archive& archive) { return names_in(archive.names); }

}  // namespace iris
