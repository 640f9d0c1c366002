// The values in a file that are not tensors, as text and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// An object with all of the values: dicts as objects (their keys as text), lists, tuples, sets and torch.Size as
// arrays, tensors as their shape and dtype, bytes as their count, calls of Python as text ("torch.device(cuda, 0)"),
// numbers that JSON lacks as text ("inf", "nan", integers past 64 bits), objects of unknown classes as {"class": …} and
// their parts, each object in full once. A file may refer to one value many times: where the JSON would be far larger
// than the file, the last values are "…". Where keys read alike (1 and "1"), the second is "1 (2)".
nlohmann::ordered_json plain_json(const TensorFile& file,
                                  const std::vector<std::pair<std::string, pickle::Value>>& values);

// In one line, for a terminal: "10", "0.25", "dict of 2 entries".
std::string plain_text(const TensorFile& file, pickle::Value value);

}  // namespace iris
