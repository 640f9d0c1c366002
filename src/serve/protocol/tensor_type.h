// The datatypes of the Open Inference Protocol that can become float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace iris::serve {

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

// The same number as float32; nullopt where float32 does not hold it exactly.
std::optional<float> float_of_integer(std::int64_t integer);
std::optional<float> float_of_integer(std::uint64_t integer);

}  // namespace iris::serve
