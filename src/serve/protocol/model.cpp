#include "serve/protocol/model.h"

#include <array>
#include <utility>

namespace iris::serve {
namespace {

constexpr std::array<OutputType, 4> kOfLogits = {{
    {"probabilities", "FP32", Output::kProbabilities, true},
    {"logits", "FP32", Output::kLogits, true},
    {"label", "BYTES", Output::kLabel, false},
    {"index", "INT64", Output::kIndex, false},
}};
constexpr std::array<OutputType, 3> kOfProbabilities = {{kOfLogits[0], kOfLogits[2], kOfLogits[3]}};
constexpr std::array<OutputType, 1> kOfValues = {{{"values", "FP32", Output::kValues, true}}};

AnswerWriter writer_of(const std::vector<std::string>& labels, Outputs meaning) {
  return {RowFormat::kNdjson, labels, {.probabilities = meaning != Outputs::kValues, .meaning = meaning}};
}

}  // namespace

std::span<const OutputType> outputs_of(Outputs meaning) {
  switch (meaning) {
    case Outputs::kProbabilities:
      return kOfProbabilities;
    case Outputs::kValues:
      return kOfValues;
    case Outputs::kLogits:
      break;
  }
  return kOfLogits;
}

Model::Model(std::vector<std::string> features, const std::vector<std::string>& labels)
    : features_(std::move(features)) {
  set_answers(labels, Outputs::kLogits, false);
}

void Model::set_answers(const std::vector<std::string>& labels, Outputs meaning, bool has_single_output) {
  labels_ = labels;
  meaning_ = meaning;
  has_single_output_ = has_single_output;
  writer_.emplace(writer_of(labels_, meaning));
}

std::size_t Model::columns_of(const OutputType& output) const {
  const bool is_single = has_single_output_ && (output.output == Output::kLogits || output.output == Output::kValues);
  return is_single ? 1 : labels_.size();
}

void Model::append_answers(const Predictions& predictions, std::size_t first, std::size_t last,
                           std::string& text) const {
  if (predictions.label_count() == writer_->label_count()) {
    writer_->append(predictions, first, last, text);
  } else {
    writer_of(completed_labels(labels_, predictions), predictions.meaning).append(predictions, first, last, text);
  }
}

}  // namespace iris::serve
