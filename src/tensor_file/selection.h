// Which tensors of a file are the model's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

struct NamedTensor {
  std::string name;
  const TensorRecord* tensor;  // owned by the TensorFile
};

// The dictionary in the file that is the model's state_dict.
struct Selection {
  std::string key;  // its path in a checkpoint; empty: the file's root
  pickle::Value dict;
  bool is_root() const { return key.empty(); }
};

// With a key: the dictionary of that name, inner names after dots. Without: the first of model_state_dict, state_dict,
// model_state and model that is a dictionary of tensors; else the root if it holds tensors itself; else the only inner
// dictionary that does. Throws FormatError, without the path, naming the dictionaries there are.
Selection select_state_dict(const TensorFile& file, const std::optional<std::string>& key);

// The keys that select_state_dict takes for this file, as far as a message shows them; the root's is not among them.
std::vector<std::string> state_dict_keys(const TensorFile& file);

// The tensors in a value, in the file's order, those of inner dicts, objects and lists under dotted names.
std::vector<NamedTensor> named_tensors(const TensorFile& file, pickle::Value value);

// As Python prints it: "(16, 4)", "(16,)", "()".
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace iris
