// The input of an inference request: {"name","datatype","shape","data"}, or binary data in place of "data".
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "serve/protocol/instances.h"
#include "serve/protocol/model.h"

namespace iris::serve {

// A datatype of the Open Inference Protocol that can become float32.
struct TensorType {
  std::string_view name;
  std::size_t size;  // bytes of an element
  // Reads one element of little-endian bytes. nullopt for an integer that float32 does not hold exactly.
  std::optional<float> (*read)(const char* bytes);
  // The range of an integer type, for numbers in JSON. Both are 0 for a floating-point type.
  double lowest = 0;
  double highest = 0;

  bool is_integer() const { return highest != 0; }
};

// nullptr for an unknown name, and for the types without numbers (BYTES, BOOL).
const TensorType* find_tensor_type(std::string_view name);

// `place`: of the input in the request, "inputs[0]". Takes the input's bytes off the front of `binary`, where it is
// binary. `limits`: of a large body. Throws RequestError 400, saying where: "inputs[0].shape: …"; and what `limits`
// throws.
Rows read_input(const nlohmann::json& input, const std::string& place, const Model& model, std::string_view& binary,
                ParseLimits* limits = nullptr);

}  // namespace iris::serve
