#include "train/checkpoint_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <regex>
#include <system_error>
#include <utility>

#include "error.h"

namespace iris {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& fact) { throw InputError(path.string() + ": " + fact); }

template <typename Visit>
void for_each_name(const fs::path& folder, Visit&& visit) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    visit(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    fail(folder, "cannot be read: " + error.message());
  }
}

}  // namespace

std::string CheckpointPosition::file_name() const {
  char text[64];
  std::snprintf(text, sizeof text, batch == 0 ? "epoch-%06lld.pt" : "epoch-%06lld-batch-%06lld.pt",
                static_cast<long long>(epoch), static_cast<long long>(batch));
  return text;
}

std::vector<CheckpointFile> checkpoints_in(const fs::path& folder) {
  std::vector<CheckpointFile> files;
  for_each_name(folder, [&files](const fs::path& path) {
    long long epoch = -1;
    long long batch = 0;
    std::sscanf(path.filename().c_str(), "epoch-%12lld-batch-%12lld.pt", &epoch, &batch);
    const CheckpointPosition position{epoch, batch};
    if (epoch >= 0 && batch >= 0 && position.file_name() == path.filename()) {
      files.push_back({position, path});
    }
  });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.position > b.position; });
  return files;
}

CheckpointFolder::CheckpointFolder(fs::path path, std::optional<std::int64_t> keep)
    : path_(std::move(path)), keep_(keep) {
  if (::mkdir(path_.c_str(), 0777) != 0 && errno != EEXIST) {
    fail(path_, std::string("cannot be made: ") + std::strerror(errno));
  }
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) {
    fail(path_, errno == ENOTDIR ? "is not a folder" : std::string("cannot be opened: ") + std::strerror(errno));
  }
  const bool is_locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  if (!is_locked || ::access(path_.c_str(), W_OK | X_OK) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail(path_, error == EWOULDBLOCK ? "another run writes its checkpoints there"
                                     : (is_locked ? "cannot be written to: " : "cannot be locked: ") +
                                           std::string(std::strerror(error)));
  }
  // The names that OutputFile and Python's writer give to a file until it is whole.
  static const std::regex temporary(R"(\.epoch-\d{6,12}(-batch-\d{6,12})?\.pt\.\w{6,8})");
  for_each_name(path_, [](const fs::path& file) {
    if (std::regex_match(file.filename().string(), temporary)) {
      ::unlink(file.c_str());
    }
  });
}

CheckpointFolder::~CheckpointFolder() { ::close(descriptor_); }

void CheckpointFolder::add(const CheckpointPosition& position,
                           const std::function<void(const std::string& path)>& write) const {
  write((path_ / position.file_name()).string());
  prune(position);
}

void CheckpointFolder::prune(const CheckpointPosition& position) const {
  std::int64_t kept = 0;
  for (const CheckpointFile& file : checkpoints_in(path_)) {
    if (file.position > position) {
      continue;
    }
    const bool is_superseded = file.position.batch > 0 && file.position != position;
    if (is_superseded || (keep_ && kept >= *keep_)) {
      ::unlink(file.path.c_str());
    } else {
      ++kept;
    }
  }
}

}  // namespace iris
