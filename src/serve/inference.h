// The Open Inference Protocol's inference, JSON with or without binary tensors behind it.
// https://github.com/kserve/open-inference-protocol and Triton's extension "binary tensor data".
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http.h"
#include "serve/instances.h"
#include "serve/model.h"

namespace iris::serve {

inline constexpr const char* kInputName = "input";

enum class Output { kProbabilities, kLogits, kLabel, kIndex };

struct OutputType {
  const char* name;
  const char* datatype;
  Output output;
  bool has_classes;  // shape [-1, classes], else [-1]
};
inline constexpr OutputType kOutputs[] = {
    {"probabilities", "FP32", Output::kProbabilities, true},
    {"logits", "FP32", Output::kLogits, true},
    {"label", "BYTES", Output::kLabel, false},
    {"index", "INT64", Output::kIndex, false},
};

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

// `header_length`: the header Inference-Header-Content-Length as it came; empty: there was none, all is JSON.
// Throws RequestError 400.
InferenceRequest parse_inference(const Model& model, std::string_view body, std::string_view header_length);

// The answer to the request, from the predictions' rows behind `first`.
Response inference_response(const std::string& model_name, const Model& model, const InferenceRequest& request,
                            const Predictions& predictions, std::size_t first);

}  // namespace iris::serve
