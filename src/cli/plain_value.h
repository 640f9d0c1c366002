// What a file holds besides tensors, shown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// An object of the values, whole: dicts as objects (their keys as text), lists, tuples and sets as arrays, tensors as
// their shape and dtype, bytes as their count, what is a call in Python as its text ("torch.device(cuda, 0)"). Where
// shared values unfold to far more than the file, the last of them are "…". Of several with one name, the last stays.
nlohmann::ordered_json plain_json(const TensorFile& file,
                                  const std::vector<std::pair<std::string, pickle::Value>>& values);

// In one line, for a terminal: "10", "0.25", "dict of 2 entries".
std::string plain_text(const TensorFile& file, pickle::Value value);

// Whether there is a tensor anywhere in the value.
bool holds_tensors(const TensorFile& file, pickle::Value value);

}  // namespace iris
