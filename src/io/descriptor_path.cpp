#include "io/descriptor_path.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <system_error>

namespace iris {

std::optional<int> descriptor_of(const std::string& path) {
  constexpr int kMostLinks = 40;  // Linux's own limit
  std::error_code error;
  const std::filesystem::path descriptors = std::filesystem::canonical("/proc/self/fd", error);
  if (error) {
    return std::nullopt;
  }
  std::filesystem::path target = path;
  for (int i = 0; i < kMostLinks; ++i) {
    const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
    if (std::filesystem::canonical(folder, error) == descriptors) {
      const std::string name = target.filename().string();
      int number = 0;
      const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
      const bool is_number = fault == std::errc() && end == name.data() + name.size() && number >= 0;
      return is_number ? std::optional(number) : std::nullopt;
    }
    if (!std::filesystem::is_symlink(target, error)) {
      return std::nullopt;
    }
    target = folder / std::filesystem::read_symlink(target, error);
  }
  return std::nullopt;
}

bool is_standard_input(const std::string& path) { return path == "-" || descriptor_of(path) == STDIN_FILENO; }

bool is_standard_output(const std::string& path) { return path == "-" || descriptor_of(path) == STDOUT_FILENO; }

}  // namespace iris
