#include "serve/protocol/input_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "serve/protocol/json.h"
#include "serve/protocol/response.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are copied as they come");

template <class Integer>
std::optional<float> exactly(Integer integer) {
  const auto number = static_cast<float>(integer);
  // The largest integers round to 2^63 and 2^64, which are past the type.
  const bool is_inside = number < std::ldexp(1.0F, std::numeric_limits<Integer>::digits);
  return is_inside && static_cast<Integer>(number) == integer ? std::optional(number) : std::nullopt;
}

std::optional<float> read_half(const char* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
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
  if constexpr (std::is_integral_v<Number>) {
    return exactly(number);
  } else {
    return static_cast<float>(number);
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
    {"FP16", 2, read_half},
    integer_type<std::int8_t>("INT8"),
    integer_type<std::int16_t>("INT16"),
    integer_type<std::int32_t>("INT32"),
    integer_type<std::int64_t>("INT64"),
    integer_type<std::uint8_t>("UINT8"),
    integer_type<std::uint16_t>("UINT16"),
    integer_type<std::uint32_t>("UINT32"),
    integer_type<std::uint64_t>("UINT64"),
};

constexpr float kLargestHalf = 65504;

// The numbers of an input.
class InputReader {
 public:
  InputReader(const json& input, std::string place, ParseLimits* limits)
      : input_(input), place_(std::move(place)), limits_(limits) {
    const std::string datatype = text_at(input, "datatype", place_ + ".");
    type_ = find_tensor_type(datatype);
    if (type_ == nullptr) {
      refuse(place_ + ".datatype: " + text::quoted(datatype) +
             " cannot be taken; send FP32, FP64, FP16 or an integer type");
    }
  }

  // Takes the input's bytes off the front of `binary`, where it is binary.
  Rows read(const Model& model, std::string_view& binary) {
    read_shape(model);
    const json& parameters = parameters_of(input_, place_ + ".");
    refuse_shared_memory(parameters, place_ + ".");
    const json* data = find_member(input_, "data");
    const json* size = find_member(parameters, "binary_data_size");
    if ((data == nullptr) == (size == nullptr)) {
      refuse(place_ + (data == nullptr ? ".data: is missing" : ": has data and binary_data_size; send one of them"));
    }
    if (size != nullptr) {
      read_binary(count_of(*size, place_ + ".parameters.binary_data_size"), binary);
    } else {
      read_json(*data);
    }
    return {.values = std::move(values_), .count = shape_[0]};
  }

 private:
  void read_shape(const Model& model) {
    const json* shape = find_member(input_, "shape");
    const std::string place = place_ + ".shape";
    if (shape == nullptr || !shape->is_array()) {
      refuse(place + (shape == nullptr ? ": is missing" : ": is not a list"));
    }
    for (const json& dimension : *shape) {
      shape_.push_back(count_of(dimension, place));
    }
    const std::size_t width = model.features().size();
    const std::string wanted = "[-1, " + (width == 0 ? "-1" : std::to_string(width)) + "]";
    if (shape_.size() != 2 || (width != 0 && shape_[1] != width)) {
      refuse(place + ": " + shape->dump() + " is not " + wanted);
    }
    if (shape_[0] == 0 || shape_[1] == 0) {
      refuse(place + ": " + shape->dump() + " holds no number; send one row or more");
    }
    if (shape_[0] > std::numeric_limits<std::size_t>::max() / type_->size / shape_[1]) {
      refuse(place + ": " + shape->dump() + " is more than any memory holds");
    }
    count_ = shape_[0] * shape_[1];
  }

  void read_binary(std::size_t size, std::string_view& binary) {
    const std::string place = place_ + ".parameters.binary_data_size: ";
    if (size != count_ * type_->size) {
      refuse(place + std::to_string(size) + " is not the " + std::to_string(count_ * type_->size) +
             " bytes of its shape and datatype");
    }
    if (size > binary.size()) {
      refuse(place + "only " + std::to_string(binary.size()) + " bytes follow the JSON");
    }
    make_room(values_, count_, limits_);
    values_.reserve(count_);  // as many bytes have come
    for (std::size_t i = 0; i < count_; ++i) {
      add(type_->read(binary.data() + i * type_->size));
    }
    binary.remove_prefix(size);
  }

  void read_json(const json& data) {
    if (!data.is_array()) {
      refuse(place_ + ".data: is not a list");
    }
    if (data.empty() || !data[0].is_array()) {
      add_numbers(data, count_);
      return;
    }
    for (const json& row : data) {
      if (!row.is_array() || data.size() != shape_[0]) {
        refuse(place_ + ".data: is not nested as its shape says");
      }
      add_numbers(row, shape_[1]);
    }
  }

  void add_numbers(const json& list, std::size_t count) {
    if (list.size() != count) {
      refuse(place_ + ".data: has " + std::to_string(list.size()) + " numbers where its shape says " +
             std::to_string(count));
    }
    make_room(values_, count, limits_);
    for (const json& number : list) {
      add_number(number);
    }
  }

  void add_number(const json& number) {
    const std::string place = place_ + ".data[" + std::to_string(values_.size()) + "]";
    if (!type_->is_integer() || !number.is_number()) {
      const float value = finite_float(number, place);
      if (type_->name == "FP16" && std::abs(value) > kLargestHalf) {
        refuse(place + ": " + number.dump() + " does not fit FP16");
      }
      values_.push_back(value);
      return;
    }
    constexpr std::uint64_t kLargestSigned = std::numeric_limits<std::int64_t>::max();  // which no double is
    if (number.is_number_float() || number.get<double>() < type_->lowest || number.get<double>() > type_->highest ||
        (type_->lowest < 0 && number.is_number_unsigned() && number.get<std::uint64_t>() > kLargestSigned)) {
      refuse(place + ": " + number.dump() + " does not fit " + std::string(type_->name));
    }
    add(number.is_number_unsigned() ? exactly(number.get<std::uint64_t>()) : exactly(number.get<std::int64_t>()));
  }

  void add(std::optional<float> value) {
    if (!value || !std::isfinite(*value)) {
      refuse(place_ + ".data[" + std::to_string(values_.size()) +
             "]: " + (value ? "is not finite as float32" : "is an integer that float32 does not hold"));
    }
    values_.push_back(*value);
  }

  const json& input_;
  std::string place_;
  ParseLimits* const limits_;
  const TensorType* type_;
  std::vector<std::size_t> shape_;
  std::size_t count_ = 0;
  std::vector<float> values_;
};

}  // namespace

const TensorType* find_tensor_type(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TensorType& type) { return type.name == name; });
  return found == std::end(kTypes) ? nullptr : found;
}

Rows read_input(const json& input, const std::string& place, const Model& model, std::string_view& binary,
                ParseLimits* limits) {
  return InputReader(input, place, limits).read(model, binary);
}

}  // namespace iris::serve
