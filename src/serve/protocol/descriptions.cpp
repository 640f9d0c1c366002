#include "serve/protocol/descriptions.h"

#include <nlohmann/json.hpp>

#include "serve/protocol/model_tensors.h"
#include "text.h"

namespace iris::serve {

using nlohmann::json;

namespace {

json dimension(std::size_t known) { return known == 0 ? json(-1) : json(known); }

}  // namespace

std::string server_json() {
  const json description = {{"name", "iris"},
                            {"version", IRIS_VERSION},
                            {"extensions", {"binary_tensor_data", "statistics", "model_repository"}}};
  return text::json(description);
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
  const json description = {{"name", name},
                            {"versions", {"1"}},
                            {"platform", "pytorch_libtorch"},
                            {"inputs", json::array({input})},
                            {"outputs", std::move(outputs)}};
  return text::json(description);
}

std::string model_config_json(const std::string& name, const Model& model, std::size_t max_batch_rows,
                              std::chrono::microseconds max_wait) {
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
  const json description = {{"name", name},
                            {"platform", "pytorch_libtorch"},
                            {"backend", "iris"},
                            {"max_batch_size", max_batch_rows},
                            {"input", json::array({input})},
                            {"output", std::move(outputs)},
                            {"dynamic_batching", {{"max_queue_delay_microseconds", max_wait.count()}}},
                            {"parameters",
                             {{"features", {{"string_value", text::json(json(model.features()))}}},
                              {"labels", {{"string_value", text::json(json(model.known_labels()))}}}}}};
  return text::json(description);
}

std::string repository_index_json(const std::string& name, const char* trouble) {
  const json entry = {{"name", name},
                      {"version", "1"},
                      {"state", trouble == nullptr ? "READY" : "UNAVAILABLE"},
                      {"reason", trouble == nullptr ? "" : trouble}};
  return text::json(json::array({entry}));
}

}  // namespace iris::serve
