// What the server says of itself and its model, as JSON.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "serve/protocol/model.h"

namespace iris::serve {

// The Open Inference Protocol's metadata.
std::string server_json();
std::string model_json(const std::string& name, const Model& model);

// Triton's model configuration. `max_batch_rows`: of a pass; `max_wait`: of a pass, for more rows.
std::string model_config_json(const std::string& name, const Model& model, std::size_t max_batch_rows,
                              std::chrono::microseconds max_wait);

// Triton's index of one model. `trouble`: why it is not ready; nullptr where it is.
std::string repository_index_json(const std::string& name, const char* trouble);

}  // namespace iris::serve
