#include "tensor_file/shard_folder.h"

#include <algorithm>
#include <system_error>

#include "error.h"

namespace iris {
namespace {

// Whether the path lies in the folder; both without links.
bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [folder_end, path_end] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return !folder.empty() && folder_end == folder.end() && path_end != path.end();
}

}  // namespace

ShardFolder::ShardFolder(const std::string& index) : folder_(std::filesystem::path(index).parent_path()) {
  std::error_code error;
  real_folder_ = std::filesystem::canonical(folder_.empty() ? "." : folder_, error);
  folder_of_real_index_ = std::filesystem::canonical(index, error).parent_path();
}

std::string ShardFolder::path_of(const std::string& name) const {
  const std::filesystem::path given(name);
  const bool is_inside = !name.empty() && name.find('\0') == name.npos && given.is_relative() &&
                         std::ranges::none_of(given, [](const auto& part) { return part == ".."; });
  if (!is_inside) {
    throw FormatError("its name leads out of the index's folder; it is not read");
  }
  std::error_code error;
  const std::filesystem::path path = folder_ / given;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error) {
    throw FormatError("is missing; the index needs it beside itself");
  }
  if (!std::filesystem::is_regular_file(real, error)) {
    throw FormatError("is not a file");
  }
  if (!lies_in(real, real_folder_) && !lies_in(real, folder_of_real_index_)) {
    throw FormatError("is a link that leads out of the index's folder; it is not read");
  }
  return path.string();
}

}  // namespace iris
