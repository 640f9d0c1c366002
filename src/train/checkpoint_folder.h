// The folder of a run's checkpoints: epoch-000010.pt, and epoch-000010-batch-000003.pt after an interrupt within the
// next epoch.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace iris {

// How far the run of a checkpoint had come.
struct CheckpointPosition {
  std::int64_t epoch = 0;  // epochs done
  std::int64_t batch = 0;  // batches done of the next epoch
  auto operator<=>(const CheckpointPosition&) const = default;

  std::string file_name() const;
};

struct CheckpointFile {
  CheckpointPosition position;
  std::filesystem::path path;
};

// The files with a checkpoint's name, newest first; none where the folder is missing. Their content is not read. Throws
// InputError("DIR: …") where the folder cannot be read.
std::vector<CheckpointFile> checkpoints_in(const std::filesystem::path& folder);

class CheckpointFolder {
 public:
  // Makes the folder, if its parent is there, and locks it: no other run can write there until this object or the
  // process ends. Removes the half-written files of killed runs. Files of other names are never touched.
  // keep: how many of the newest checkpoints stay; nullopt: all. Throws InputError("DIR: …"), as the members do.
  CheckpointFolder(std::filesystem::path path, std::optional<std::int64_t> keep);
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Calls write(path) for the file of that position, then prunes.
  void add(const CheckpointPosition& position, const std::function<void(const std::string& path)>& write) const;

  // Removes checkpoints older than that position: those within an epoch, and all but the newest `keep`.
  void prune(const CheckpointPosition& position) const;

 private:
  std::filesystem::path path_;
  std::optional<std::int64_t> keep_;
  int descriptor_ = -1;
};

}  // namespace iris
