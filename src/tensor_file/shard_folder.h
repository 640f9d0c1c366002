// Where the files lie that an index names: in its folder, and nowhere else.
#pragma once

#include <filesystem>
#include <string>

namespace iris {

class ShardFolder {
 public:
  // `index`: the path of the file that names the others.
  explicit ShardFolder(const std::string& index);

  // The path of the file of that name. Throws FormatError where the name, or a link, leads out of the folder, or to no
  // file. Links to where the index itself really lies are followed: a hub's cache is made of such.
  std::string path_of(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  std::filesystem::path real_folder_;
  std::filesystem::path folder_of_real_index_;
};

}  // namespace iris
