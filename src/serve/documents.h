// The documents that are built into the program: the page, its files, and the OpenAPI description.
#pragma once

#include <string>

#include "serve/protocol/model.h"

namespace iris::serve {

std::string page_html(const std::string& name, const Model& model);
std::string page_script();
std::string page_style();
std::string iris_csv();  // the flowers by which the page measures the model

// OpenAPI 3.1 of every route but unload.
std::string openapi_json(const std::string& name);

}  // namespace iris::serve
