// An inference request of the Open Inference Protocol: JSON, with or without binary tensors after it.
// https://github.com/kserve/open-inference-protocol and Triton's extension "binary tensor data".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/protocol/instances.h"
#include "serve/protocol/model.h"
#include "serve/protocol/model_tensors.h"

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
// Throws RequestError 400, saying where: "inputs[0].shape: …".
InferenceRequest parse_inference(const Model& model, std::string_view body, std::string_view header_length);

}  // namespace iris::serve
