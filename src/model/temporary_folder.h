// Files that another library wants to find under a path.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace iris {

// In $TMPDIR, else /tmp; readable by this user alone; gone with this object, whatever is in it.
class TemporaryFolder {
 public:
  // Throws InputError, as write does.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // `name` may be in folders, which are made.
  void write(const std::string& name, std::span<const std::byte> bytes) const;

 private:
  std::filesystem::path path_;
};

}  // namespace iris
