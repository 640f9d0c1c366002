#include "serve/protocol/model.h"

#include <utility>

namespace iris::serve {
namespace {

AnswerWriter writer_of(const std::vector<std::string>& labels) {
  return {RowFormat::kNdjson, labels, {.probabilities = true}};
}

}  // namespace

Model::Model(std::vector<std::string> features, const std::vector<std::string>& labels)
    : features_(std::move(features)) {
  set_labels(labels);
}

void Model::set_labels(const std::vector<std::string>& labels) {
  labels_ = labels;
  writer_.emplace(writer_of(labels_));
}

std::vector<std::string> Model::labels(std::size_t class_count) const {
  std::vector<std::string> all = labels_;
  for (std::size_t i = all.size(); i < class_count; ++i) {
    all.push_back(std::to_string(i));
  }
  return all;
}

void Model::append_answers(const Predictions& predictions, std::size_t first, std::size_t last,
                           std::string& text) const {
  if (predictions.class_count == writer_->class_count()) {
    writer_->append(predictions, first, last, text);
  } else {
    writer_of(labels(predictions.class_count)).append(predictions, first, last, text);
  }
}

}  // namespace iris::serve
