// The tensors of a served model: one input and four outputs.
#pragma once

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

}  // namespace iris::serve
