// Which tensors of a file are the model's.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

struct NamedTensor {
  std::string name;
  const TensorRecord* tensor;  // owned by the TensorFile
  bool is_named = true;        // false: a key in its path is no text and no number, and `name` only shows it
  bool is_own_name = true;     // false: `name` is made of several keys, or of a number
};

// The dictionary in the file that is the model's state_dict.
struct Selection {
  std::string key;                  // its path in a checkpoint, in dots; empty: the file's root
  std::vector<pickle::Value> path;  // the keys of that path, outermost first
  pickle::Value dict;               // a dict, or an object that holds its members as one does

  bool is_root() const { return path.empty(); }
};

// With a key: the dictionary at that path: names of dicts, numbers of lists, attributes of objects, joined by dots;
// "." is the root. Without one, a candidate is a dictionary that itself holds tensors, however deep, but for those of
// optimizers, schedulers and random states, and the root where there are others. The first of model_state_dict,
// state_dict, model_state and model is taken that is a candidate or holds only one; else the only candidate.
// Throws FormatError, without the path, naming the keys that would do.
Selection select_state_dict(const TensorFile& file, const std::optional<std::string>& key);

// The keys of candidates, as a message shows them: the first twenty, the root not among them.
std::vector<std::string> state_dict_keys(const TensorFile& file);

// The tensors in a value, in the file's order, those of inner dicts and lists under dotted names. Objects of unknown
// classes that the value holds are passed over.
std::vector<NamedTensor> named_tensors(const TensorFile& file, pickle::Value value);

// Whether the value itself, or a part of it, would be a tensor if a function that is not known were called: "made by
// torch._utils._rebuild_qtensor, …". Empty: it would not.
std::string why_no_tensor(const TensorFile& file, pickle::Value value);

// Throws FormatError where a value in the dictionary would be a tensor, and is none (why_no_tensor).
void require_all_tensors(const TensorFile& file, pickle::Value dict);

// As Python prints it: "(16, 4)", "(16,)", "()".
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace iris
