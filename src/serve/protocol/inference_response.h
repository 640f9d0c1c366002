// The answer to an inference request of the Open Inference Protocol.
#pragma once

#include <cstddef>
#include <string>

#include "serve/protocol/inference_request.h"
#include "serve/protocol/model.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// Of the predictions' rows, the request's own begin at `first`. Binary outputs follow the JSON, as the request asked.
Response inference_response(const std::string& model_name, const Model& model, const InferenceRequest& request,
                            const Predictions& predictions, std::size_t first);

}  // namespace iris::serve
