// A row of features from JSON of any form.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

// Reads an object of the features, or an array of them in order, into `row`, which has room for all of them. members:
// what the features are called in the object; others are passed over. Each number is read from its text, as parse_float
// does. Returns what is wrong, or "".
std::string read_json_row(std::string_view line, const std::vector<std::string>& features,
                          const std::vector<std::string>& members, std::span<float> row);

}  // namespace iris
