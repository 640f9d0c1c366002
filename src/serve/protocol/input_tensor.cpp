#include "serve/protocol/input_tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serve/protocol/json.h"
#include "serve/protocol/json_members.h"
#include "serve/protocol/tensor_type.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

constexpr float kLargestHalf = 65504;

// The numbers of an input.
class InputReader {
 public:
  InputReader(const json& input, std::string place) : input_(input), place_(std::move(place)) {
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
    values_.reserve(std::min<std::size_t>(count_, 1 << 16));
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
    for (std::size_t i = 0; i < count_; ++i) {
      add(type_->read(binary.data() + i * type_->size));
    }
    binary.remove_prefix(size);
  }

  void read_json(const json& data) {
    if (!data.is_array()) {
      refuse(place_ + ".data: is not a list");
    }
    if (!data.empty() && data[0].is_array()) {
      add_nested(data, 0);
    } else {
      add_numbers(data, count_);
    }
  }

  void add_nested(const json& list, std::size_t axis) {
    if (!list.is_array() || list.size() != shape_[axis]) {
      refuse(place_ + ".data: is not nested as its shape says");
    }
    for (const json& inner : list) {
      if (!inner.is_array() || axis + 2 > shape_.size()) {
        refuse(place_ + ".data: is not nested as its shape says");
      }
      if (axis + 2 == shape_.size()) {
        add_numbers(inner, shape_[axis + 1]);
      } else {
        add_nested(inner, axis + 1);
      }
    }
  }

  void add_numbers(const json& list, std::size_t count) {
    if (list.size() != count) {
      refuse(place_ + ".data: has " + std::to_string(list.size()) + " numbers where its shape says " +
             std::to_string(count));
    }
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
    add(number.is_number_unsigned() ? float_of_integer(number.get<std::uint64_t>())
                                    : float_of_integer(number.get<std::int64_t>()));
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
  const TensorType* type_;
  std::vector<std::size_t> shape_;
  std::size_t count_ = 0;
  std::vector<float> values_;
};

}  // namespace

Rows read_input(const json& input, const std::string& place, const Model& model, std::string_view& binary) {
  return InputReader(input, place).read(model, binary);
}

}  // namespace iris::serve
