// The input of an inference request: {"name","datatype","shape","data"}, or binary data in place of "data".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "serve/protocol/instances.h"
#include "serve/protocol/model.h"

namespace iris::serve {

// `place`: of the input in the request, "inputs[0]". Takes the input's bytes off the front of `binary`, where it is
// binary. Throws RequestError 400, saying where: "inputs[0].shape: …".
Rows read_input(const nlohmann::json& input, const std::string& place, const Model& model, std::string_view& binary);

}  // namespace iris::serve
