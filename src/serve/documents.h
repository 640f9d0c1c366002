// The documents that are built into the program: the page, its files, and the OpenAPI description.
#pragma once

#include <cstddef>
#include <string>

#include "serve/options.h"
#include "serve/protocol/model.h"

namespace iris::serve {

// It asks the server what the model is, with the reader's key where one is needed: nobody needs a key for the page.
std::string page_html(const std::string& name, std::size_t max_queue_rows);
std::string page_script();
std::string page_style();
std::string iris_csv();  // the flowers by which the page measures the model

// OpenAPI 3.1 of every route but unload, as this model answers them within these limits. `model`: nullptr where none is
// loaded.
std::string openapi_json(const ServerOptions& options, const Model* model);

}  // namespace iris::serve
