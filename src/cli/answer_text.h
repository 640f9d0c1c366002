// One answer as text, as every way of asking prints it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "inference/classifier.h"

namespace iris {

struct AnswerParts {
  bool probabilities = false;
  bool logits = false;
};

// {"label":"setosa","index":0,"confidence":0.987,…}; floats carry every digit that a float32 needs.
std::string answer_json(const Predictions& predictions, std::size_t row, const std::vector<std::string>& labels,
                        AnswerParts parts);

// "label,confidence", "p_LABEL" and "logit_LABEL" for each class when asked for. No newline, as in the two below.
std::string csv_header(const std::vector<std::string>& labels, AnswerParts parts);
std::string answer_csv(const Predictions& predictions, std::size_t row, const std::vector<std::string>& labels,
                       AnswerParts parts);
// As many empty cells as an answer has.
std::string empty_csv(std::size_t class_count, AnswerParts parts);

// The text as a JSON string, quotes included.
std::string json_string(std::string_view text);

}  // namespace iris
