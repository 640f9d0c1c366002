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
  // Of little-endian bytes; nullopt where a float32 does not hold the integer.
  std::optional<float> (*read)(const char* bytes);
  // The integers it holds, for those in JSON; both 0: a floating-point type.
  double lowest = 0;
  double highest = 0;

  bool is_integer() const { return highest != 0; }
};

// nullptr where there is none of that name, or no number of it is a float32 (BYTES, BOOL).
const TensorType* find_tensor_type(std::string_view name);

// Exactly, or not at all.
std::optional<float> float_of_integer(std::int64_t integer);
std::optional<float> float_of_integer(std::uint64_t integer);

}  // namespace iris::serve
