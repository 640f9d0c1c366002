#include "io/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "error.h"
#include "io/interrupt.h"

namespace iris {
namespace {

constexpr std::size_t kLargestWrite = 1 << 20;
constexpr off_t kWriteBack = 16 << 20;

// Where a link leads, whether or not a file is there: that is replaced, not the link.
std::string target_of(const std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // Linux's own limit
  std::filesystem::path target = path;
  std::error_code error;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(target, error); ++i) {
    target = target.parent_path() / std::filesystem::read_symlink(target, error);
  }
  return target.string();
}

mode_t mode_of_new_file(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    return status.st_mode & 07777;
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

OutputFile::OutputFile(const std::string& path, Durability durability) : path_(path), durability_(durability) {
  if (path == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  struct stat status = {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno == ELOOP) {
    fail("cannot be created");
  }
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      fail("cannot be written");
    }
    return;
  }
  path_ = target_of(path);
  const std::size_t name = path_.rfind('/') + 1;  // 0 without a slash
  temporary_path_ = path_.substr(0, name) + "." + path_.substr(name) + ".XXXXXX";
  descriptor_ = ::mkostemp(temporary_path_.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    temporary_path_.clear();
    fail("cannot be created");
  }
  ::fchmod(descriptor_, mode_of_new_file(path_));
}

OutputFile::~OutputFile() {
  if (descriptor_ > STDOUT_FILENO) {
    ::close(descriptor_);
  }
  if (!temporary_path_.empty()) {
    ::unlink(temporary_path_.c_str());
  }
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    throw_if_interrupted();
    const ssize_t count = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kLargestWrite));
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      written_.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
      pending_ += count;
      if (pending_ >= kWriteBack && durability_ == Durability::kOnDisk && !temporary_path_.empty()) {
        // Lets the disk begin with what commit() will wait for.
        ::sync_file_range(descriptor_, started_, pending_, SYNC_FILE_RANGE_WRITE);
        started_ += std::exchange(pending_, 0);
      }
    } else if (errno == EPIPE) {
      throw OutputClosed();
    } else if (errno != EINTR) {
      fail("cannot be written");
    }
  }
}

void OutputFile::commit() {
  if (temporary_path_.empty()) {
    return;
  }
  throw_if_interrupted();
  const bool on_disk = durability_ == Durability::kOnDisk;
  if ((on_disk && ::fsync(descriptor_) != 0) || ::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    fail("cannot be written");
  }
  temporary_path_.clear();
  if (!on_disk) {
    return;
  }
  const std::string folder_path = path_.substr(0, path_.rfind('/') + 1);
  const int folder = ::open(folder_path.empty() ? "." : folder_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

bool is_same_file(const std::string& output, const std::string& other) {
  std::error_code error;
  // Absolute first: "model.pt" that is not there would stay as it is, "./model.pt" would not.
  const auto place_of = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  return output != "-" && other != "-" && !std::filesystem::is_other(output, error) &&
         place_of(output) == place_of(other);
}

void OutputFile::fail(const char* what) const {
  throw InputError((path_ == "-" ? "stdout" : path_) + ": " + what + ": " + std::strerror(errno));
}

}  // namespace iris
