// Inference requests and answers of the Open Inference Protocol: JSON, with or without binary tensors after it.
// https://github.com/kserve/open-inference-protocol and Triton's extension "binary tensor data".
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/protocol/instances.h"
#include "serve/protocol/model.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// The header that counts the JSON's bytes where binary tensors follow them, in requests and in responses.
inline constexpr std::string_view kInferenceHeaderLength = "Inference-Header-Content-Length";

struct RequestedOutput {
  OutputType type;
  bool is_binary;
};

struct InferenceRequest {
  std::optional<std::string> id;
  std::optional<std::chrono::microseconds> timeout;
  Rows rows;
  std::vector<RequestedOutput> outputs;  // one or more
};

// `header_length`: the value of kInferenceHeaderLength; empty: the request does not have it, and the body is all JSON.
// `limits`: of a large body; nullptr for a small one. Throws RequestError 400, saying where: "inputs[0].shape: …"; and
// what `limits` throws.
InferenceRequest parse_inference(const Model& model, std::string_view body, std::string_view header_length,
                                 ParseLimits* limits = nullptr);

// Of the predictions' rows, the request's own begin at `first`. Binary outputs follow the JSON, as the request asked.
Response inference_response(const std::string& model_name, const Model& model, const InferenceRequest& request,
                            const Predictions& predictions, std::size_t first);

}  // namespace iris::serve
