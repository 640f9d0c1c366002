// What a model's inputs and outputs are called, and what its outputs are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rows/predictions.h"

namespace iris {

struct ModelNames {
  std::vector<std::string> features;  // empty: not named
  std::vector<std::string> labels;
  std::optional<Outputs> outputs = {};
};

// IrisNet's own, as its state_dicts name none. Lengths in cm.
std::vector<std::string> iris_features();
std::vector<std::string> iris_labels();

// The unit of features of these names: "cm" for IrisNet's; "" where none is known.
std::string unit_of(const std::vector<std::string>& features);

// "logits", "probabilities" or "values".
std::string name_of(Outputs outputs);
// nullopt for any other name.
std::optional<Outputs> outputs_of(std::string_view name);

// Of iris.json: {"name":"iris","features":["sepal_length",…],"labels":["setosa",…],"outputs":"logits"}; other members
// are ignored. Throws FormatError.
ModelNames parse_model_names(std::string_view json);

}  // namespace iris
