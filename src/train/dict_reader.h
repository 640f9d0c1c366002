// Values out of a file's dictionary, by name and type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "error.h"
#include "tensor_file/tensor_file.h"
#include "text.h"
#include "train/settings.h"

namespace iris {

// All of it throws FormatError("NAME.KEY FACT"), without the path: "config.lr is missing". The file must outlive the
// reader.
class DictReader {
 public:
  // name: the dictionary's own, for messages; empty for the file's root.
  DictReader(const TensorFile& file, pickle::Value dict, std::string name)
      : file_(file), dict_(dict), name_(std::move(name)) {
    if (!dict.is_dict()) {
      throw FormatError((name_.empty() ? "" : name_ + " ") + "is not a dictionary");
    }
  }

  pickle::Value get(const char* key) const {
    const pickle::Value* value = file_.document.find(dict_, key);
    require(value != nullptr, key, "is missing");
    return *value;
  }

  void read(const char* key, std::int64_t& to) const {
    const pickle::Value value = get(key);
    require(value.kind == pickle::Kind::kInt && value.integer >= 0, key, "is not an integer from 0");
    to = value.integer;
  }

  // An integer or a bool is a number too.
  void read(const char* key, double& to) const {
    const pickle::Value value = get(key);
    const bool is_integer = value.kind == pickle::Kind::kInt;
    const bool is_bool = value.kind == pickle::Kind::kBool;
    require(value.kind == pickle::Kind::kFloat || is_integer || is_bool, key, "is not a number");
    to = is_integer ? static_cast<double>(value.integer) : is_bool ? static_cast<double>(value.boolean) : value.real;
  }

  void read(const char* key, std::string& to) const {
    const pickle::Value value = get(key);
    require(value.kind == pickle::Kind::kString, key, "is not a text");
    to = file_.document.text(value);
  }

  void read(const char* key, Optimizer& to) const {
    std::string name;
    read(key, name);
    const std::optional<Optimizer> optimizer = optimizer_named(name);
    require(optimizer.has_value(), key,
            "is not one of " + text::joined({kOptimizerNames.begin(), kOptimizerNames.end()}));
    to = *optimizer;
  }

  // nullopt: it is missing, or None.
  template <typename T>
  void read(const char* key, std::optional<T>& to) const {
    const pickle::Value* value = file_.document.find(dict_, key);
    to.reset();
    if (value != nullptr && value->kind != pickle::Kind::kNone) {
      read(key, to.emplace());
    }
  }

  // Each member of a struct that has visit() (TrainConfig, EpochRecord).
  template <typename Struct>
  void read_members(Struct& members) const {
    Struct::visit(members, [this](const char* name, auto& member) { read(name, member); });
  }

  // fact: what the value is where the condition is false.
  void require(bool condition, const char* key, const std::string& fact) const {
    if (!condition) {
      throw FormatError((name_.empty() ? "" : name_ + ".") + key + " " + fact);
    }
  }

 private:
  const TensorFile& file_;
  pickle::Value dict_;
  std::string name_;
};

}  // namespace iris
