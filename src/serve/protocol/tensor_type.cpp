#include "serve/protocol/tensor_type.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>

namespace iris::serve {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as they come");

template <class Integer>
std::optional<float> exactly(Integer integer) {
  const auto number = static_cast<float>(integer);
  // The largest integers round to 2^63 and 2^64, which are past the type.
  const bool is_inside = number < std::ldexp(1.0F, std::numeric_limits<Integer>::digits);
  return is_inside && static_cast<Integer>(number) == integer ? std::optional(number) : std::nullopt;
}

float float_of_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const auto mantissa = static_cast<float>(half & 0x3FF);
  float magnitude = std::ldexp(exponent == 0 ? mantissa : mantissa + 1024.0F, std::max(exponent, 1) - 25);
  if (exponent == 0x1F) {
    magnitude = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  }
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

template <class Number>
std::optional<float> read(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  if constexpr (!std::is_integral_v<Number>) {
    return static_cast<float>(number);
  } else if constexpr (std::is_signed_v<Number>) {
    return exactly(std::int64_t{number});
  } else {
    return exactly(std::uint64_t{number});
  }
}

template <class Integer>
constexpr TensorType integer_type(std::string_view name) {
  return {name, sizeof(Integer), read<Integer>, static_cast<double>(std::numeric_limits<Integer>::min()),
          static_cast<double>(std::numeric_limits<Integer>::max())};
}

constexpr TensorType kTypes[] = {
    {"FP32", 4, read<float>},
    {"FP64", 8, read<double>},
    {"FP16", 2,
     [](const char* bytes) {
       std::uint16_t half = 0;
       std::memcpy(&half, bytes, sizeof half);
       return std::optional(float_of_half(half));
     }},
    integer_type<std::int8_t>("INT8"),
    integer_type<std::int16_t>("INT16"),
    integer_type<std::int32_t>("INT32"),
    integer_type<std::int64_t>("INT64"),
    integer_type<std::uint8_t>("UINT8"),
    integer_type<std::uint16_t>("UINT16"),
    integer_type<std::uint32_t>("UINT32"),
    integer_type<std::uint64_t>("UINT64"),
};

}  // namespace

const TensorType* find_tensor_type(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TensorType& type) { return type.name == name; });
  return found == std::end(kTypes) ? nullptr : found;
}

std::optional<float> float_of_integer(std::int64_t integer) { return exactly(integer); }
std::optional<float> float_of_integer(std::uint64_t integer) { return exactly(integer); }

}  // namespace iris::serve
