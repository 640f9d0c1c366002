// What a model's inputs and outputs are called.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iris {

// The name of the extra file in a TorchScript archive or a .pt2 package.
inline constexpr const char* kModelNamesFile = "iris.json";

struct ModelNames {
  std::vector<std::string> features;  // empty: not named
  std::vector<std::string> labels;
};

// IrisNet's, whose state_dicts name none; lengths in cm.
std::vector<std::string> iris_features();
std::vector<std::string> iris_labels();

// Of iris.json: {"name":"iris","features":["sepal_length",…],"labels":["setosa",…]}; other members are ignored. Throws
// FormatError.
ModelNames parse_model_names(std::string_view json);

}  // namespace iris
