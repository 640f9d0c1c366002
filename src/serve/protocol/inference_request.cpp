#include "serve/protocol/inference_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "serve/protocol/json.h"
#include "serve/protocol/request_error.h"
#include "serve/protocol/tensor_type.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

constexpr float kLargestHalf = 65504;

[[noreturn]] void fail(const std::string& message) { throw RequestError(400, message); }

// The member; nullptr where it is absent or null, which some clients write for it.
const json* find(const json& object, const char* member) {
  const auto found = object.find(member);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const json& object_at(const json& value, const std::string& place) {
  if (!value.is_object()) {
    fail(place + ": is not an object");
  }
  return value;
}

// parameters, {} where there are none.
const json& parameters_of(const json& object, const std::string& place) {
  static const json kNone = json::object();
  const json* found = find(object, "parameters");
  return found == nullptr ? kNone : object_at(*found, place + "parameters");
}

std::string text_at(const json& object, const char* member, const std::string& place) {
  const json* found = find(object, member);
  if (found == nullptr || !found->is_string()) {
    fail(place + member + (found == nullptr ? ": is missing" : ": is not a text"));
  }
  return found->get<std::string>();
}

bool flag_at(const json& parameters, const char* name, bool otherwise, const std::string& place) {
  const json* found = find(parameters, name);
  if (found != nullptr && !found->is_boolean()) {
    fail(place + "parameters." + name + ": is not true or false");
  }
  return found == nullptr ? otherwise : found->get<bool>();
}

std::size_t count_of(const json& value, const std::string& place) {
  // 3.0 is an integer to JSON Schema, and so to some clients.
  const bool is_whole = value.is_number_unsigned() || (value.is_number_float() && value >= 0.0 && value <= 1e6 &&
                                                       std::trunc(value.get<double>()) == value.get<double>());
  if (!is_whole) {
    fail(place + ": is not a whole number from 0");
  }
  return value.get<std::size_t>();
}

void refuse_shared_memory(const json& parameters, const std::string& place) {
  if (parameters.contains("shared_memory_region")) {
    fail(place + "parameters.shared_memory_region: this server has no shared memory; send the data");
  }
}

// The numbers of an input.
class InputReader {
 public:
  InputReader(const json& input, std::string place) : input_(input), place_(std::move(place)) {
    const std::string datatype = text_at(input, "datatype", place_ + ".");
    type_ = find_tensor_type(datatype);
    if (type_ == nullptr) {
      fail(place_ + ".datatype: " + text::quoted(datatype) +
           " cannot be taken; send FP32, FP64, FP16 or an integer type");
    }
  }

  // Takes the input's bytes off the front of `binary`, where it is binary.
  Rows read(const Model& model, std::string_view& binary) {
    read_shape(model);
    const json& parameters = parameters_of(input_, place_ + ".");
    refuse_shared_memory(parameters, place_ + ".");
    const json* data = find(input_, "data");
    const json* size = find(parameters, "binary_data_size");
    if ((data == nullptr) == (size == nullptr)) {
      fail(place_ + (data == nullptr ? ".data: is missing" : ": has data and binary_data_size; send one of them"));
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
    const json* shape = find(input_, "shape");
    const std::string place = place_ + ".shape";
    if (shape == nullptr || !shape->is_array()) {
      fail(place + (shape == nullptr ? ": is missing" : ": is not a list"));
    }
    for (const json& dimension : *shape) {
      shape_.push_back(count_of(dimension, place));
    }
    const std::size_t width = model.features().size();
    const std::string wanted = "[-1, " + (width == 0 ? "-1" : std::to_string(width)) + "]";
    if (shape_.size() != 2 || (width != 0 && shape_[1] != width)) {
      fail(place + ": " + shape->dump() + " is not " + wanted);
    }
    if (shape_[0] == 0 || shape_[1] == 0) {
      fail(place + ": " + shape->dump() + " holds no number; send one row or more");
    }
    if (shape_[0] > std::numeric_limits<std::size_t>::max() / type_->size / shape_[1]) {
      fail(place + ": " + shape->dump() + " is more than any memory holds");
    }
    count_ = shape_[0] * shape_[1];
  }

  void read_binary(std::size_t size, std::string_view& binary) {
    const std::string place = place_ + ".parameters.binary_data_size: ";
    if (size != count_ * type_->size) {
      fail(place + std::to_string(size) + " is not the " + std::to_string(count_ * type_->size) +
           " bytes of its shape and datatype");
    }
    if (size > binary.size()) {
      fail(place + "only " + std::to_string(binary.size()) + " bytes follow the JSON");
    }
    for (std::size_t i = 0; i < count_; ++i) {
      add(type_->read(binary.data() + i * type_->size));
    }
    binary.remove_prefix(size);
  }

  void read_json(const json& data) {
    if (!data.is_array()) {
      fail(place_ + ".data: is not a list");
    }
    if (!data.empty() && data[0].is_array()) {
      add_nested(data, 0);
    } else {
      add_numbers(data, count_);
    }
  }

  void add_nested(const json& list, std::size_t axis) {
    if (!list.is_array() || list.size() != shape_[axis]) {
      fail(place_ + ".data: is not nested as its shape says");
    }
    for (const json& inner : list) {
      if (!inner.is_array() || axis + 2 > shape_.size()) {
        fail(place_ + ".data: is not nested as its shape says");
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
      fail(place_ + ".data: has " + std::to_string(list.size()) + " numbers where its shape says " +
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
        fail(place + ": " + number.dump() + " does not fit FP16");
      }
      values_.push_back(value);
      return;
    }
    constexpr std::uint64_t kLargestSigned = std::numeric_limits<std::int64_t>::max();  // which no double is
    if (number.is_number_float() || number.get<double>() < type_->lowest || number.get<double>() > type_->highest ||
        (type_->lowest < 0 && number.is_number_unsigned() && number.get<std::uint64_t>() > kLargestSigned)) {
      fail(place + ": " + number.dump() + " does not fit " + std::string(type_->name));
    }
    add(number.is_number_unsigned() ? float_of_integer(number.get<std::uint64_t>())
                                    : float_of_integer(number.get<std::int64_t>()));
  }

  void add(std::optional<float> value) {
    if (!value || !std::isfinite(*value)) {
      fail(place_ + ".data[" + std::to_string(values_.size()) +
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

RequestedOutput parse_output(const json& output, bool is_binary, const std::string& place) {
  const std::string name = text_at(object_at(output, place), "name", place + ".");
  const auto* type =
      std::find_if(std::begin(kOutputs), std::end(kOutputs), [&](const OutputType& each) { return each.name == name; });
  if (type == std::end(kOutputs)) {
    fail(place + ".name: there is no output " + text::quoted(name) +
         "; there are probabilities, logits, label and index");
  }
  const json& parameters = parameters_of(output, place + ".");
  refuse_shared_memory(parameters, place + ".");
  if (parameters.contains("classification")) {
    fail(place + ".parameters.classification: is not supported; ask for the output label");
  }
  return {*type, flag_at(parameters, "binary_data", is_binary, place + ".")};
}

std::vector<RequestedOutput> parse_outputs(const json& root, bool is_binary) {
  std::vector<RequestedOutput> outputs;
  const json* list = find(root, "outputs");
  if (list == nullptr || (list->is_array() && list->empty())) {
    for (const OutputType& type : kOutputs) {
      outputs.push_back({type, is_binary});
    }
    return outputs;
  }
  if (!list->is_array()) {
    fail("outputs: is not a list");
  }
  for (const json& output : *list) {
    const std::string place = "outputs[" + std::to_string(outputs.size()) + "]";
    const RequestedOutput parsed = parse_output(output, is_binary, place);
    for (const RequestedOutput& other : outputs) {
      if (other.type.output == parsed.type.output) {
        fail(place + ".name: " + parsed.type.name + " is asked for twice");
      }
    }
    outputs.push_back(parsed);
  }
  return outputs;
}

const json& only_input(const json& root) {
  const json* inputs = find(root, "inputs");
  if (inputs == nullptr || !inputs->is_array() || inputs->size() != 1) {
    fail(inputs == nullptr ? "inputs: is missing" : "inputs: has to be a list of one, called \"input\"");
  }
  const json& input = object_at((*inputs)[0], "inputs[0]");
  const std::string name = text_at(input, "name", "inputs[0].");
  if (name != kInputName) {
    fail("inputs[0].name: there is no input " + text::quoted(name) + "; the only one is \"input\"");
  }
  return input;
}

}  // namespace

InferenceRequest parse_inference(const Model& model, std::string_view body, std::string_view header_length) {
  std::string_view binary;
  if (!header_length.empty()) {
    std::size_t length = 0;
    const char* const end = header_length.data() + header_length.size();
    const auto parsed = std::from_chars(header_length.data(), end, length);
    if (parsed.ec != std::errc() || parsed.ptr != end || length > body.size()) {
      fail(std::string(kInferenceHeaderLength) + ": " + text::quoted(header_length) + " is not a number from 0 to " +
           std::to_string(body.size()) + ", the body's bytes");
    }
    binary = body.substr(length);
    body = body.substr(0, length);
  }
  const json root = parse_json(body);
  object_at(root, "the body");
  InferenceRequest request;
  if (const json* id = find(root, "id")) {
    if (!id->is_string()) {
      fail("id: is not a text");
    }
    request.id = id->get<std::string>();
  }
  const json& parameters = parameters_of(root, "");
  if (const json* timeout = find(parameters, "timeout")) {
    const std::size_t microseconds = count_of(*timeout, "parameters.timeout");
    constexpr std::size_t kMost = 1'000'000'000'000;  // some days
    if (microseconds != 0) {
      request.timeout = std::chrono::microseconds(std::min(microseconds, kMost));
    }
  }
  request.outputs = parse_outputs(root, flag_at(parameters, "binary_data_output", false, ""));
  request.rows = InputReader(only_input(root), "inputs[0]").read(model, binary);
  if (!binary.empty()) {
    fail(std::to_string(binary.size()) + " more bytes follow the JSON than the input takes");
  }
  return request;
}

}  // namespace iris::serve
