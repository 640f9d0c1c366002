#include "serve/documents.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "serve/assets.h"
#include "serve/protocol/json.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

ordered_json reference(const char* schema) { return {{"$ref", std::string("#/components/schemas/") + schema}}; }

// A flower of the data for its own features; else numbers that most models take.
std::vector<double> example_of(const std::vector<std::string>& features) {
  const std::string head = std::string(assets::kData).substr(0, std::string(assets::kData).find('\n'));
  const std::vector<double> flower = {5.1, 3.5, 1.4, 0.2};
  return head.starts_with(text::joined(features, ",")) && features.size() == flower.size()
             ? flower
             : std::vector<double>(features.size(), 1.0);
}

// What a model of these features takes; of any number of numbers where they have no names.
void describe_instances(const std::vector<std::string>& features, std::size_t max_queue_rows, ordered_json& schemas) {
  const ordered_json number = {{"type", "number"}, {"minimum", -kLargestNumber}, {"maximum", kLargestNumber}};
  ordered_json& numbers = schemas["Numbers"];
  numbers = {{"type", "array"}, {"items", number}, {"minItems", 1}};
  schemas["Instance"] = reference("Numbers");
  if (!features.empty()) {
    numbers["minItems"] = features.size();
    numbers["maxItems"] = features.size();
    ordered_json properties = ordered_json::object();
    for (const std::string& feature : features) {
      properties[feature] = number;
    }
    schemas["InstanceObject"] = {{"type", "object"}, {"properties", properties}, {"required", features}};
    schemas["Instance"] = {{"anyOf", {reference("Numbers"), reference("InstanceObject")}}};
  }
  // No maxItems: too many rows are valid, and a 413 tells so, as for a body of too many bytes.
  schemas["InstanceList"] = {{"type", "array"},
                             {"items", reference("Instance")},
                             {"minItems", 1},
                             {"description", "Up to " + std::to_string(max_queue_rows) + "; more are a 413."}};
}

// One row, as a schema cannot say "n times as many numbers". Of a model without names, a row of one number.
void describe_input(std::size_t width, ordered_json& schemas) {
  ordered_json& input = schemas["InferenceRequest"]["properties"]["inputs"]["items"]["properties"];
  input["shape"] = {{"const", {1, std::max<std::size_t>(width, 1)}}};
  if (width == 0) {
    input["data"] = {{"type", "array"},
                     {"items", {{"type", "number"}, {"minimum", -kLargestNumber}, {"maximum", kLargestNumber}}},
                     {"minItems", 1},
                     {"maxItems", 1}};
  }
}

void describe_outputs(ordered_json& schemas) {
  ordered_json names = ordered_json::array();
  ordered_json once = ordered_json::array();
  for (const OutputType& type : kOutputs) {
    names.push_back(type.name);
    once.push_back({{"contains", {{"properties", {{"name", {{"const", type.name}}}}}, {"required", {"name"}}}},
                    {"minContains", 0},
                    {"maxContains", 1}});
  }
  ordered_json& outputs = schemas["InferenceRequest"]["properties"]["outputs"];
  outputs["maxItems"] = names.size();
  outputs["allOf"] = once;
  outputs["items"]["properties"]["name"]["enum"] = names;
  schemas["InferenceResponse"]["properties"]["outputs"]["items"]["properties"]["name"]["enum"] = names;
}

ordered_json& body_of(ordered_json& description, const std::string& path) {
  return description["paths"][path]["post"]["requestBody"]["content"]["application/json"];
}

}  // namespace

std::string page_html(const std::string& name, std::size_t max_queue_rows) {
  std::string data = text::json(json{{"name", name}, {"max_queue_rows", max_queue_rows}});
  replace_all(data, "<", "\\u003c");
  std::string html = assets::kPage;
  replace_all(html, "{{server}}", data);
  return html;
}

std::string page_script() { return assets::kScript; }
std::string page_style() { return assets::kStyle; }
std::string iris_csv() { return assets::kData; }

std::string openapi_json(const ServerOptions& options, const Model* model) {
  const std::vector<std::string> features = model == nullptr ? std::vector<std::string>() : model->features();
  std::string text = assets::kOpenApi;
  const std::string quoted = text::json_string(options.name);
  replace_all(text, "{{name}}", quoted.substr(1, quoted.size() - 2));
  replace_all(text, "{{version}}", IRIS_VERSION);
  auto description = ordered_json::parse(text);
  ordered_json& info = description["info"]["description"];
  info = info.get<std::string>() + " Bodies have up to " + std::to_string(options.max_body) +
         " bytes, unpacked; requests up to " + std::to_string(options.max_queue_rows) + " rows.";
  if (options.api_key.empty()) {
    description["security"] = ordered_json::array();
    description["components"].erase("securitySchemes");
  }
  ordered_json& schemas = description["components"]["schemas"];
  describe_instances(features, options.max_queue_rows, schemas);
  describe_input(features.size(), schemas);
  describe_outputs(schemas);
  if (!features.empty()) {
    const std::vector<double> example = example_of(features);
    body_of(description, "/predict")["example"] = {{"instances", ordered_json::array({example})}};
    body_of(description, "/v1/models/{model}:predict")["example"] = {{"instances", ordered_json::array({example})}};
    const ordered_json input = {
        {"name", kInputName}, {"shape", {1, features.size()}}, {"datatype", "FP32"}, {"data", example}};
    for (const char* path : {"/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"}) {
      body_of(description, path)["example"] = {{"inputs", ordered_json::array({input})}};
    }
  }
  return text::json(description);
}

}  // namespace iris::serve
