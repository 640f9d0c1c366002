#include "io/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "error.h"
#include "io/descriptor_path.h"
#include "io/interrupt.h"
#include "text.h"

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

// Opens what is written in place; negative where it cannot be opened. open() alone would wait for a named pipe's
// reader, and miss a signal that came just before it.
int open_in_place(const std::string& path, bool is_pipe) {
  while (true) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | (is_pipe ? O_NONBLOCK : 0));
    if (descriptor >= 0 && is_pipe) {
      ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
    }
    const bool waits_for_reader = is_pipe && errno == ENXIO;
    if (descriptor >= 0 || (!waits_for_reader && errno != EINTR)) {
      return descriptor;
    }
    throw_if_interrupted();
    if (waits_for_reader) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

// Makes and opens a file that was not there, named `path` and six characters more, which are added to it. The umask
// applies. Negative where none can be made.
int open_new(std::string& path, mode_t mode) {
  constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr int kMostTries = 100;
  std::random_device random;
  const std::size_t length = path.size();
  int descriptor = -1;
  for (int i = 0; i < kMostTries && (i == 0 || errno == EEXIST); ++i) {
    path.resize(length);
    for (int j = 0; j < 6; ++j) {
      path += kCharacters[random() % kCharacters.size()];
    }
    descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor >= 0) {
      break;
    }
  }
  return descriptor;
}

}  // namespace

OutputFile::OutputFile(const std::string& path, Durability durability) : path_(path), durability_(durability) {
  if (path == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  if (const std::optional<int> named = descriptor_of(path)) {
    descriptor_ = ::fcntl(*named, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (descriptor_ < 0) {
      fail("cannot be written");
    }
    return;
  }
  struct stat status = {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno == ELOOP) {
    fail("cannot be created");
  }
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = open_in_place(path, S_ISFIFO(status.st_mode));
    if (descriptor_ < 0) {
      fail("cannot be written");
    }
    return;
  }
  path_ = target_of(path);
  const std::size_t name = path_.rfind('/') + 1;  // 0 without a slash
  temporary_path_ = path_.substr(0, name) + "." + path_.substr(name) + ".";
  descriptor_ = open_new(temporary_path_, exists ? status.st_mode & 0777 : 0666);
  if (descriptor_ < 0) {
    temporary_path_.clear();
    fail("cannot be created");
  }
  if (exists) {
    ::fchmod(descriptor_, status.st_mode & 07777);
  }
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
  const auto is_descriptor = [](const std::string& path) { return path == "-" || descriptor_of(path).has_value(); };
  return !is_descriptor(output) && !is_descriptor(other) && !std::filesystem::is_other(output, error) &&
         place_of(output) == place_of(other);
}

void OutputFile::fail(const char* what) const {
  const std::string reason = std::strerror(errno);
  throw InputError((is_standard_output(path_) ? "stdout" : text::path_name(path_)) + ": " + what + ": " + reason);
}

}  // namespace iris
