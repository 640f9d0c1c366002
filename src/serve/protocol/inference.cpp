#include "serve/protocol/inference.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <span>

#include "rows/float_text.h"
#include "serve/protocol/input_tensor.h"
#include "serve/protocol/json.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

RequestedOutput parse_output(const Model& model, const json& output, bool is_binary, const std::string& place) {
  const std::string name = text_at(object_at(output, place), "name", place + ".");
  const auto types = model.outputs();
  const auto type = std::find_if(types.begin(), types.end(), [&](const OutputType& each) { return each.name == name; });
  if (type == types.end()) {
    std::vector<std::string> names;
    std::ranges::transform(types, std::back_inserter(names), [](const OutputType& each) { return each.name; });
    refuse(place + ".name: there is no output " + text::quoted(name) + "; the model has: " + text::joined(names));
  }
  const json& parameters = parameters_of(output, place + ".");
  refuse_shared_memory(parameters, place + ".");
  if (parameters.contains("classification")) {
    refuse(place + ".parameters.classification: is not supported; ask for the output label");
  }
  return {*type, flag_at(parameters, "binary_data", is_binary, place + ".")};
}

std::vector<RequestedOutput> parse_outputs(const Model& model, const json& root, bool is_binary) {
  std::vector<RequestedOutput> outputs;
  const json* list = find_member(root, "outputs");
  if (list == nullptr || (list->is_array() && list->empty())) {
    for (const OutputType& type : model.outputs()) {
      outputs.push_back({type, is_binary});
    }
    return outputs;
  }
  if (!list->is_array()) {
    refuse("outputs: is not a list");
  }
  for (const json& output : *list) {
    const std::string place = "outputs[" + std::to_string(outputs.size()) + "]";
    const RequestedOutput parsed = parse_output(model, output, is_binary, place);
    if (std::any_of(outputs.begin(), outputs.end(),
                    [&](const RequestedOutput& other) { return other.type.output == parsed.type.output; })) {
      refuse(place + ".name: " + parsed.type.name + " is asked for twice");
    }
    outputs.push_back(parsed);
  }
  return outputs;
}

const json& only_input(const json& root) {
  const json* inputs = find_member(root, "inputs");
  if (inputs == nullptr || !inputs->is_array() || inputs->size() != 1) {
    refuse(inputs == nullptr ? "inputs: is missing" : "inputs: has to be a list of one, called \"input\"");
  }
  const json& input = object_at((*inputs)[0], "inputs[0]");
  const std::string name = text_at(input, "name", "inputs[0].");
  if (name != kInputName) {
    refuse("inputs[0].name: there is no input " + text::quoted(name) + "; the only one is \"input\"");
  }
  return input;
}

std::size_t columns_of(const OutputType& type, const Predictions& predictions) {
  return type.output == Output::kProbabilities ? predictions.class_count : predictions.output_count;
}

// Of an output, for `count` rows of the predictions from `first`: little-endian bytes, or JSON with commas between.
std::string elements_of(const RequestedOutput& output, const Predictions& predictions, std::size_t first,
                        std::size_t count, const std::vector<std::string>& labels) {
  std::string elements;
  const auto add_bytes = [&](auto value) { elements.append(reinterpret_cast<const char*>(&value), sizeof value); };
  const auto add_json = [&](std::string_view text) { elements.append(elements.empty() ? "" : ",").append(text); };
  if (output.type.has_columns) {
    const bool are_probabilities = output.type.output == Output::kProbabilities;
    const auto& all = are_probabilities ? predictions.probabilities : predictions.outputs;
    const std::size_t width = columns_of(output.type, predictions);
    for (const float value : std::span(all).subspan(first * width, count * width)) {
      char digits[16];
      output.is_binary ? add_bytes(value) : add_json({digits, write_shortest(value, digits)});
    }
    return elements;
  }
  for (const std::size_t best : std::span(predictions.best).subspan(first, count)) {
    if (output.type.output == Output::kIndex) {
      output.is_binary ? add_bytes(static_cast<std::int64_t>(best)) : add_json(std::to_string(best));
    } else if (output.is_binary) {
      add_bytes(static_cast<std::uint32_t>(labels[best].size()));
      elements += labels[best];
    } else {
      add_json(text::json_string(labels[best]));
    }
  }
  return elements;
}

}  // namespace

InferenceRequest parse_inference(const Model& model, std::string_view body, std::string_view header_length,
                                 ParseLimits* limits) {
  std::string_view binary;
  if (!header_length.empty()) {
    std::size_t length = 0;
    const char* const end = header_length.data() + header_length.size();
    const auto parsed = std::from_chars(header_length.data(), end, length);
    if (parsed.ec != std::errc() || parsed.ptr != end || length > body.size()) {
      refuse(std::string(kInferenceHeaderLength) + ": " + text::quoted(header_length) + " is not a number from 0 to " +
             std::to_string(body.size()) + ", the body's bytes");
    }
    binary = body.substr(length);
    body = body.substr(0, length);
  }
  static constexpr std::string_view kWanted[] = {"id", "parameters", "inputs", "outputs"};
  const json root = parse_json(body, kWanted, limits);
  object_at(root, "the body");
  InferenceRequest request;
  if (find_member(root, "id") != nullptr) {
    request.id = text_at(root, "id", "");
  }
  const json& parameters = parameters_of(root, "");
  if (const json* timeout = find_member(parameters, "timeout")) {
    const std::size_t microseconds = count_of(*timeout, "parameters.timeout");
    constexpr std::size_t kMost = 1'000'000'000'000;  // some days
    if (microseconds != 0) {
      request.timeout = std::chrono::microseconds(std::min(microseconds, kMost));
    }
  }
  request.outputs = parse_outputs(model, root, flag_at(parameters, "binary_data_output", false, ""));
  request.rows = read_input(only_input(root), "inputs[0]", model, binary, limits);
  if (!binary.empty()) {
    refuse(std::to_string(binary.size()) + " more bytes follow the JSON than the input takes");
  }
  return request;
}

Response inference_response(const std::string& model_name, const Model& model, const InferenceRequest& request,
                            const Predictions& predictions, std::size_t first) {
  const std::size_t count = request.rows.count;
  const auto labels = completed_labels(model.known_labels(), predictions);
  std::string text = "{\"model_name\":" + text::json_string(model_name) + ",\"model_version\":\"1\"";
  if (request.id) {
    text += ",\"id\":" + text::json_string(*request.id);
  }
  text += ",\"outputs\":[";
  std::string tensors;
  for (const RequestedOutput& output : request.outputs) {
    text += text.back() == '[' ? "" : ",";
    text.append("{\"name\":\"").append(output.type.name).append("\",\"datatype\":\"").append(output.type.datatype);
    text += "\",\"shape\":[" + std::to_string(count);
    text += output.type.has_columns ? "," + std::to_string(columns_of(output.type, predictions)) + "]" : "]";
    const std::string elements = elements_of(output, predictions, first, count, labels);
    if (output.is_binary) {
      text += ",\"parameters\":{\"binary_data_size\":" + std::to_string(elements.size()) + "}}";
      tensors += elements;
    } else {
      text += ",\"data\":[" + elements + "]}";
    }
  }
  text += "]}";
  Response response{.rows = count};
  if (!tensors.empty()) {
    response.content_type = "application/octet-stream";
    response.headers.emplace_back(kInferenceHeaderLength, std::to_string(text.size()));
  }
  response.body = std::move(text) + tensors;
  return response;
}

}  // namespace iris::serve
