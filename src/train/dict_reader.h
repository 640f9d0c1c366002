// Values out of a file's dictionary, by name and type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor_file/tensor_file.h"
#include "train/settings.h"

namespace iris {

// All of it throws FormatError("NAME.KEY FACT"), without the path: "config.lr is missing". The file must outlive the
// reader.
class DictReader {
 public:
  // name: the dictionary's own, for messages; empty for the file's root.
  DictReader(const TensorFile& file, pickle::Value dict, std::string name);

  pickle::Value get(const char* key) const;

  void read(const char* key, std::int64_t& to) const;  // from 0
  void read(const char* key, double& to) const;        // an integer or a bool too
  void read(const char* key, std::string& to) const;
  void read(const char* key, Optimizer& to) const;

  // nullopt: it is missing, or None.
  template <typename T>
  void read(const char* key, std::optional<T>& to) const {
    to.reset();
    if (has(key)) {
      read(key, to.emplace());
    }
  }

  // Each member of a struct that has visit() (TrainConfig, EpochRecord).
  template <typename Struct>
  void read_members(Struct& members) const {
    Struct::visit(members, [this](const char* name, auto& member) { read(name, member); });
  }

  [[noreturn]] void fail(const std::string& key, const std::string& fact) const;

 private:
  bool has(const char* key) const;

  const TensorFile& file_;
  pickle::Value dict_;
  std::string name_;
};

}  // namespace iris
