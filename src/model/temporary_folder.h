// Files for a library that takes only paths.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace iris {

// In $TMPDIR, else /tmp. Readable by this user only. Removed, with everything in it, by the destructor.
class TemporaryFolder {
 public:
  // Throws InputError, as write does.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // name: may hold folders, which are made.
  void write(const std::string& name, std::span<const std::byte> bytes) const;

 private:
  std::filesystem::path path_;
};

}  // namespace iris
