// What the server says of itself and its model, as JSON or a page.
#pragma once

#include <string>

#include "serve/model.h"
#include "serve/options.h"

namespace iris::serve {

std::string server_json();
std::string model_json(const std::string& name, const Model& model);              // the protocol's metadata
std::string model_config_json(const ServerOptions& options, const Model& model);  // Triton's
std::string repository_index_json(const std::string& name, const char* trouble);  // the same; nullptr: it is ready
std::string openapi_json(const std::string& name);
std::string page_html(const std::string& name, const Model& model);

std::string page_script();
std::string page_style();
std::string iris_csv();  // the flowers that the page measures the model by

}  // namespace iris::serve
