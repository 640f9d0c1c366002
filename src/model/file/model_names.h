// What a model's inputs and outputs are called.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iris {

struct ModelNames {
  std::vector<std::string> features;  // empty: not named
  std::vector<std::string> labels;
};

// IrisNet's own, as its state_dicts name none. Lengths in cm.
std::vector<std::string> iris_features();
std::vector<std::string> iris_labels();

// The unit of features of these names: "cm" for IrisNet's; "" where none is known.
std::string unit_of(const std::vector<std::string>& features);

// Of iris.json: {"name":"iris","features":["sepal_length",…],"labels":["setosa",…]}; other members are ignored. Throws
// FormatError.
ModelNames parse_model_names(std::string_view json);

}  // namespace iris
