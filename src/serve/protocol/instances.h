// Instances and predictions: the bodies of /predict and of KServe v1.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "serve/protocol/model.h"
#include "serve/protocol/parse_limits.h"

namespace iris::serve {

// float32 [count, features], row-major.
struct Rows {
  std::vector<float> values;
  std::size_t count = 0;
};

enum class Bare {
  kAllowed,  // /predict: also a list of instances, and one instance
  kRefused,  // KServe v1: {"instances":…} and nothing else
};

// Reads {"instances":[…]}. An instance is a list of numbers, or an object with a number for each feature's name. Other
// members of the body and of instances are passed over. `limits`: of a large body; nullptr for a small one. Throws
// RequestError 400, saying where: "instances[2].petal_width: …"; and what `limits` throws.
Rows parse_instances(const Model& model, std::string_view body, Bare bare, ParseLimits* limits = nullptr);

// {"predictions":[{"label","index","confidence","probabilities":{…}}]} for `count` rows from `first`.
std::string predictions_json(const Model& model, const Predictions& predictions, std::size_t first, std::size_t count);

}  // namespace iris::serve
