#include "cli/answer_text.h"

#include <nlohmann/json.hpp>

#include "data/float_text.h"

namespace iris {
namespace {

constexpr int kDecimals = 6;

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string cell = "\"";
  for (const char character : text) {
    cell += character == '"' ? "\"\"" : std::string(1, character);
  }
  return cell + '"';
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string answer_json(const Predictions& predictions, std::size_t row, const std::vector<std::string>& labels,
                        AnswerParts parts) {
  const std::size_t best = predictions.best_of(row);
  const auto probabilities = predictions.probabilities_of(row);
  std::string json = "{\"label\":" + json_string(labels[best]) + ",\"index\":" + std::to_string(best) +
                     ",\"confidence\":" + shortest_text(probabilities[best]);
  if (parts.probabilities) {
    json += ",\"probabilities\":";
    for (std::size_t i = 0; i < labels.size(); ++i) {
      json += (i == 0 ? "{" : ",") + json_string(labels[i]) + ":" + shortest_text(probabilities[i]);
    }
    json += "}";
  }
  if (parts.logits) {
    json += ",\"logits\":";
    const auto logits = predictions.logits_of(row);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      json += (i == 0 ? "[" : ",") + shortest_text(logits[i]);
    }
    json += "]";
  }
  return json + "}";
}

std::string csv_header(const std::vector<std::string>& labels, AnswerParts parts) {
  std::string header = "label,confidence";
  for (const std::string& label : parts.probabilities ? labels : std::vector<std::string>{}) {
    header += "," + csv_cell("p_" + label);
  }
  for (const std::string& label : parts.logits ? labels : std::vector<std::string>{}) {
    header += "," + csv_cell("logit_" + label);
  }
  return header;
}

std::string answer_csv(const Predictions& predictions, std::size_t row, const std::vector<std::string>& labels,
                       AnswerParts parts) {
  const std::size_t best = predictions.best_of(row);
  const auto probabilities = predictions.probabilities_of(row);
  std::string line = csv_cell(labels[best]) + "," + fixed_text(probabilities[best], kDecimals);
  if (parts.probabilities) {
    for (const float probability : probabilities) {
      line += "," + fixed_text(probability, kDecimals);
    }
  }
  if (parts.logits) {
    for (const float logit : predictions.logits_of(row)) {
      line += "," + shortest_text(logit);
    }
  }
  return line;
}

std::string empty_csv(std::size_t class_count, AnswerParts parts) {
  const std::size_t lists = (parts.probabilities ? 1U : 0U) + (parts.logits ? 1U : 0U);
  return std::string(1 + class_count * lists, ',');
}

}  // namespace iris
