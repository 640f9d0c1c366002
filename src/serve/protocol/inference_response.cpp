#include "serve/protocol/inference_response.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "rows/float_text.h"
#include "text.h"

namespace iris::serve {
namespace {

// The elements of the outputs, for `count` rows of the predictions from `first`.
class OutputWriter {
 public:
  OutputWriter(const Predictions& predictions, std::size_t first, std::size_t count,
               const std::vector<std::string>& labels)
      : predictions_(predictions), first_(first), count_(count), labels_(labels) {}

  std::string json(Output output) const {
    std::string text;
    const auto separate = [&] { text += text.empty() ? "" : ","; };
    if (output == Output::kProbabilities || output == Output::kLogits) {
      for (const float value : floats(output)) {
        separate();
        char digits[16];
        text.append(digits, write_shortest(value, digits));
      }
    } else {
      for (const std::size_t best : classes()) {
        separate();
        text += output == Output::kIndex ? std::to_string(best) : text::json_string(labels_[best]);
      }
    }
    return text;
  }

  std::string binary(Output output) const {
    std::string bytes;
    const auto append = [&](const auto& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
    if (output == Output::kProbabilities || output == Output::kLogits) {
      const auto values = floats(output);
      bytes.assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    } else if (output == Output::kIndex) {
      for (const std::size_t best : classes()) {
        append(static_cast<std::int64_t>(best));
      }
    } else {
      for (const std::size_t best : classes()) {
        append(static_cast<std::uint32_t>(labels_[best].size()));
        bytes += labels_[best];
      }
    }
    return bytes;
  }

 private:
  std::span<const float> floats(Output output) const {
    const auto& values = output == Output::kLogits ? predictions_.logits : predictions_.probabilities;
    return std::span(values).subspan(first_ * predictions_.class_count, count_ * predictions_.class_count);
  }
  std::span<const std::size_t> classes() const { return std::span(predictions_.best).subspan(first_, count_); }

  const Predictions& predictions_;
  std::size_t first_;
  std::size_t count_;
  const std::vector<std::string>& labels_;
};

}  // namespace

Response inference_response(const std::string& model_name, const Model& model, const InferenceRequest& request,
                            const Predictions& predictions, std::size_t first) {
  const std::size_t count = request.rows.count;
  const auto labels = model.labels(predictions.class_count);
  const OutputWriter writer(predictions, first, count, labels);
  std::string text = "{\"model_name\":" + text::json_string(model_name) + ",\"model_version\":\"1\"";
  if (request.id) {
    text += ",\"id\":" + text::json_string(*request.id);
  }
  text += ",\"outputs\":[";
  std::string tensors;
  for (const RequestedOutput& output : request.outputs) {
    text += text.back() == '[' ? "" : ",";
    text.append("{\"name\":\"").append(output.type.name).append("\",\"datatype\":\"").append(output.type.datatype);
    text += "\",\"shape\":[" + std::to_string(count);
    text += output.type.has_classes ? "," + std::to_string(predictions.class_count) + "]" : "]";
    if (output.is_binary) {
      const std::string bytes = writer.binary(output.type.output);
      text += ",\"parameters\":{\"binary_data_size\":" + std::to_string(bytes.size()) + "}}";
      tensors += bytes;
    } else {
      text += ",\"data\":[" + writer.json(output.type.output) + "]}";
    }
  }
  text += "]}";
  Response response{.rows = count};
  const bool is_binary = std::any_of(request.outputs.begin(), request.outputs.end(),
                                     [](const RequestedOutput& output) { return output.is_binary; });
  if (is_binary) {
    response.content_type = "application/octet-stream";
    response.headers.emplace_back(kInferenceHeaderLength, std::to_string(text.size()));
  }
  response.body = std::move(text) + tensors;
  return response;
}

}  // namespace iris::serve
