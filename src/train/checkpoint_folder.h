// The folder that a run's checkpoints lie in: epoch-000010.pt, and epoch-000010-batch-000003.pt of a run that was
// interrupted inside the epoch after that.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace iris {

// How far a checkpoint's run was.
struct CheckpointPosition {
  std::int64_t epoch = 0;  // done
  std::int64_t batch = 0;  // done of the next one
  auto operator<=>(const CheckpointPosition&) const = default;

  std::string file_name() const;
};

struct CheckpointFile {
  CheckpointPosition position;
  std::filesystem::path path;
};

// Those in the folder by their names, the newest first; none where there is no folder. Throws InputError("DIR: …")
// where it cannot be read.
std::vector<CheckpointFile> checkpoints_in(const std::filesystem::path& folder);

class CheckpointFolder {
 public:
  // Makes the folder, if its parent is there, and takes hold of it: no other run may write there until this object, or
  // the process, ends. Removes what killed runs left half written. Files of other names are never touched.
  // keep: so many checkpoints stay, the newest; nullopt: all. Throws InputError("DIR: …"), as all of this does.
  CheckpointFolder(std::filesystem::path path, std::optional<std::int64_t> keep);
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Has `write` write the file of that position, then prunes.
  void add(const CheckpointPosition& position, const std::function<void(const std::string& path)>& write) const;

  // Removes what the checkpoint of that position makes superfluous among the older ones: all inside an epoch, and those
  // beyond `keep`.
  void prune(const CheckpointPosition& position) const;

 private:
  std::filesystem::path path_;
  std::optional<std::int64_t> keep_;
  int descriptor_ = -1;
};

}  // namespace iris
