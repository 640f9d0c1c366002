#include "serve/descriptions.h"

#include <nlohmann/json.hpp>

#include "serve/assets.h"
#include "serve/inference.h"

namespace iris::serve {

using nlohmann::json;

namespace {

json dimension(std::size_t known) { return known == 0 ? json(-1) : json(known); }

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

std::string server_json() {
  return text_of({{"name", "iris"},
                  {"version", IRIS_VERSION},
                  {"extensions", {"binary_tensor_data", "statistics", "model_repository"}}});
}

std::string model_json(const std::string& name, const Model& model) {
  json outputs = json::array();
  for (const OutputType& type : kOutputs) {
    json shape = {-1};
    if (type.has_classes) {
      shape.push_back(dimension(model.known_labels().size()));
    }
    outputs.push_back({{"name", type.name}, {"datatype", type.datatype}, {"shape", std::move(shape)}});
  }
  const json input = {{"name", kInputName}, {"datatype", "FP32"}, {"shape", {-1, dimension(model.features().size())}}};
  return text_of({{"name", name},
                  {"versions", {"1"}},
                  {"platform", "pytorch_libtorch"},
                  {"inputs", json::array({input})},
                  {"outputs", std::move(outputs)}});
}

std::string model_config_json(const ServerOptions& options, const Model& model) {
  json outputs = json::array();
  for (const OutputType& type : kOutputs) {
    json dims = json::array({type.has_classes ? dimension(model.known_labels().size()) : json(1)});
    const std::string datatype = type.datatype;
    json output = {{"name", type.name},
                   {"data_type", "TYPE_" + (datatype == "BYTES" ? std::string("STRING") : datatype)},
                   {"dims", std::move(dims)}};
    if (!type.has_classes) {
      output["reshape"] = {{"shape", json::array()}};  // no dimension beside the rows
    }
    outputs.push_back(std::move(output));
  }
  const json input = {{"name", kInputName}, {"data_type", "TYPE_FP32"}, {"dims", {dimension(model.features().size())}}};
  return text_of({{"name", options.name},
                  {"platform", "pytorch_libtorch"},
                  {"backend", "iris"},
                  {"max_batch_size", options.max_batch_rows},
                  {"input", json::array({input})},
                  {"output", std::move(outputs)},
                  {"dynamic_batching", {{"max_queue_delay_microseconds", options.max_wait.count()}}},
                  {"parameters",
                   {{"features", {{"string_value", text_of(model.features())}}},
                    {"labels", {{"string_value", text_of(model.known_labels())}}}}}});
}

std::string repository_index_json(const std::string& name, const char* trouble) {
  const json entry = {{"name", name},
                      {"version", "1"},
                      {"state", trouble == nullptr ? "READY" : "UNAVAILABLE"},
                      {"reason", trouble == nullptr ? "" : trouble}};
  return text_of(json::array({entry}));
}

std::string openapi_json(const std::string& name) {
  std::string text = assets::kOpenApi;
  const std::string quoted = text_of(name);
  replace_all(text, "{{name}}", quoted.substr(1, quoted.size() - 2));
  replace_all(text, "{{version}}", IRIS_VERSION);
  return text;
}

std::string page_html(const std::string& name, const Model& model) {
  std::string data = text_of({{"name", name}, {"features", model.features()}, {"labels", model.known_labels()}});
  replace_all(data, "<", "\\u003c");
  std::string html = assets::kPage;
  replace_all(html, "{{model}}", data);
  return html;
}

std::string page_script() { return assets::kScript; }
std::string page_style() { return assets::kStyle; }
std::string iris_csv() { return assets::kData; }

}  // namespace iris::serve
