#include "serve/protocol/descriptions.h"

#include <nlohmann/json.hpp>

#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

json dimension(std::size_t known) { return known == 0 ? json(-1) : json(known); }

}  // namespace

std::string server_json() {
  return text::json(json{{"name", "iris"},
                         {"version", IRIS_VERSION},
                         {"extensions", {"binary_tensor_data", "statistics", "model_repository"}}});
}

std::string model_json(const std::string& name, const Model& model) {
  json outputs = json::array();
  for (const OutputType& type : model.outputs()) {
    const json shape = type.has_columns ? json::array({-1, dimension(model.columns_of(type))}) : json::array({-1});
    outputs.push_back({{"name", type.name}, {"datatype", type.datatype}, {"shape", shape}});
  }
  const json input = {{"name", kInputName}, {"datatype", "FP32"}, {"shape", {-1, dimension(model.features().size())}}};
  return text::json(json{{"name", name},
                         {"versions", {"1"}},
                         {"platform", "pytorch_libtorch"},
                         {"inputs", json::array({input})},
                         {"outputs", std::move(outputs)}});
}

std::string model_config_json(const std::string& name, const Model& model, std::size_t max_batch_rows,
                              std::chrono::microseconds max_wait) {
  json outputs = json::array();
  for (const OutputType& type : model.outputs()) {
    const std::string datatype = type.datatype;
    json output = {{"name", type.name},
                   {"data_type", "TYPE_" + (datatype == "BYTES" ? "STRING" : datatype)},
                   {"dims", json::array({type.has_columns ? dimension(model.columns_of(type)) : json(1)})}};
    if (!type.has_columns) {
      output["reshape"] = {{"shape", json::array()}};  // no dimension beside the rows
    }
    outputs.push_back(std::move(output));
  }
  const json input = {{"name", kInputName}, {"data_type", "TYPE_FP32"}, {"dims", {dimension(model.features().size())}}};
  return text::json(json{{"name", name},
                         {"platform", "pytorch_libtorch"},
                         {"backend", "iris"},
                         {"max_batch_size", max_batch_rows},
                         {"input", json::array({input})},
                         {"output", std::move(outputs)},
                         {"dynamic_batching", {{"max_queue_delay_microseconds", max_wait.count()}}},
                         {"parameters",
                          {{"features", {{"string_value", text::json(json(model.features()))}}},
                           {"labels", {{"string_value", text::json(json(model.known_labels()))}}}}}});
}

std::string repository_index_json(const std::string& name, const char* trouble) {
  return text::json(json::array({{{"name", name},
                                  {"version", "1"},
                                  {"state", trouble == nullptr ? "READY" : "UNAVAILABLE"},
                                  {"reason", trouble == nullptr ? "" : trouble}}}));
}

}  // namespace iris::serve
