#include "model/temporary_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "error.h"

namespace iris {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw InputError(path.string() + ": the package cannot be unpacked here: " +
                   std::generic_category().message(error == 0 ? EIO : error) +
                   "; set TMPDIR to a folder that has room");
}

std::filesystem::path parent() {
  const char* named = getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string path = parent() / "iris-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    fail(parent(), errno);
  }
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryFolder::write(const std::string& name, std::span<const std::byte> bytes) const {
  const std::filesystem::path path = path_ / name;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  errno = error.value();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    fail(path_.parent_path(), errno);
  }
}

}  // namespace iris
