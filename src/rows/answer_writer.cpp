#include "rows/answer_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "error.h"
#include "rows/csv_record.h"
#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kMaxFloat = 16;    // "-1.17549435e-38" and a comma
constexpr std::size_t kSixDecimals = 8;  // "0.987120"
constexpr std::size_t kBlock = 16;

char* write_text(std::string_view text, char* to) { return std::copy(text.begin(), text.end(), to); }

// Copies whole blocks: a short text takes one, whatever its length.
char* write_begin(const std::string& padded, std::size_t size, char* to) {
  for (std::size_t i = 0; i < size; i += kBlock) {
    std::memcpy(to + i, padded.data() + i, kBlock);
  }
  return to + size;
}

}  // namespace

std::vector<std::string> completed_labels(std::vector<std::string> known, const Predictions& predictions) {
  const std::string before = predictions.meaning == Outputs::kValues ? "y" : "";
  for (std::size_t i = known.size(); i < predictions.label_count(); ++i) {
    known.push_back(before + std::to_string(i));
  }
  return known;
}

void AnswerParts::check() const {
  if (meaning == Outputs::kValues && (probabilities || logits)) {
    throw UsageError("the model's outputs are values, which have no probabilities and no logits");
  }
  if (meaning == Outputs::kProbabilities && logits) {
    throw UsageError("the model's outputs are probabilities, and it gives no logits");
  }
}

bool is_answer_member(std::string_view name) {
  constexpr std::array kMembers = {"label", "index", "confidence", "probabilities", "logits", "values", "error"};
  return std::find(kMembers.begin(), kMembers.end(), name) != kMembers.end();
}

AnswerWriter::AnswerWriter(RowFormat format, const std::vector<std::string>& labels, AnswerParts parts,
                           const std::optional<std::vector<std::string>>& copied_names)
    : format_(format), parts_(parts), follows_copied_(copied_names.has_value()), label_count_(labels.size()) {
  parts.check();
  const bool is_csv = format == RowFormat::kCsv;
  const std::string opening = follows_copied_ ? "" : "{";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string text = is_csv ? csv_cell(labels[i]) + ","
                              : opening + "\"label\":" + text::json_string(labels[i]) +
                                    ",\"index\":" + std::to_string(i) + ",\"confidence\":";
    const std::size_t size = text.size();
    text.resize(size + kBlock);
    begins_.push_back({std::move(text), size});
    named_in_json_.push_back((i == 0 ? "{" : ",") + text::json_string(labels[i]) + ":");
    max_line_ = std::max(max_line_, size);
  }
  const bool are_values = parts.meaning == Outputs::kValues;
  max_line_ += is_csv && !are_values
                   ? kSixDecimals + 1
                   : kMaxFloat + std::string_view(R"({"values":,"probabilities":},"logits":[]})").size();
  for (const std::string& name : named_in_json_) {
    max_line_ += (parts.probabilities || are_values ? name.size() + kMaxFloat : 0) + (parts.logits ? kMaxFloat : 0);
  }
  std::vector<std::string> columns = are_values ? labels : std::vector<std::string>{"label", "confidence"};
  for (std::size_t i = 0; parts.probabilities && i < labels.size(); ++i) {
    columns.push_back("p_" + labels[i]);
  }
  for (std::size_t i = parts.has_single_output ? 1 : 0; parts.logits && i < labels.size(); ++i) {
    columns.push_back("logit_" + labels[i]);
  }
  column_count_ = columns.size();
  for (const std::string& name : copied_names.value_or(std::vector<std::string>())) {
    if (is_csv ? std::find(columns.begin(), columns.end(), name) != columns.end() : is_answer_member(name)) {
      throw InputError("the answers have a column " + text::printable(name) + " too; it cannot be copied",
                       {Choice::Of::kCopy});
    }
    header_ += csv_cell(name) + ",";
  }
  for (const std::string& column : columns) {
    header_ += csv_cell(column) + ",";
  }
  if (is_csv && !header_.empty()) {
    header_.back() = '\n';
  } else {
    header_.clear();
  }
}

std::string AnswerWriter::header() const { return header_; }

inline char* AnswerWriter::write_answer(const Predictions& predictions, std::size_t row, char* to) const {
  const std::size_t best = predictions.best[row];
  to = write_begin(begins_[best].padded, begins_[best].size, to);
  return write_six_decimals(predictions.probabilities[row * predictions.class_count + best], to);
}

char* AnswerWriter::write_values(const Predictions& predictions, std::size_t row, char* to) const {
  const auto values = predictions.outputs_of(row);
  const bool is_csv = format_ == RowFormat::kCsv;
  to = write_text(is_csv ? "" : follows_copied_ ? "\"values\":" : "{\"values\":", to);
  for (std::size_t i = 0; i < values.size(); ++i) {
    to = write_text(is_csv ? (i == 0 ? "" : ",") : named_in_json_[i], to);
    to = write_shortest(values[i], to);
  }
  return write_text(is_csv ? "" : "}}", to);
}

char* AnswerWriter::write_csv(const Predictions& predictions, std::size_t row, char* to) const {
  to = write_answer(predictions, row, to);
  if (parts_.probabilities) {
    for (const float probability : predictions.probabilities_of(row)) {
      *to++ = ',';
      to = write_six_decimals(probability, to);
    }
  }
  if (parts_.logits) {
    for (const float logit : predictions.outputs_of(row)) {
      *to++ = ',';
      to = write_shortest(logit, to);
    }
  }
  return to;
}

char* AnswerWriter::write_json(const Predictions& predictions, std::size_t row, char* to) const {
  const auto probabilities = predictions.probabilities_of(row);
  const std::size_t best = predictions.best[row];
  to = write_begin(begins_[best].padded, begins_[best].size, to);
  to = write_shortest(probabilities[best], to);
  if (parts_.probabilities) {
    to = write_text(",\"probabilities\":", to);
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      to = write_text(named_in_json_[i], to);
      to = write_shortest(probabilities[i], to);
    }
    *to++ = '}';
  }
  if (parts_.logits) {
    to = write_text(",\"logits\":", to);
    const auto logits = predictions.outputs_of(row);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      *to++ = i == 0 ? '[' : ',';
      to = write_shortest(logits[i], to);
    }
    *to++ = ']';
  }
  *to++ = '}';
  return to;
}

void AnswerWriter::append(const Predictions& predictions, std::size_t first, std::size_t last,
                          std::string& text) const {
  const std::size_t start = text.size();
  text.resize(start + (last - first) * max_line_ + kBlock);
  char* to = text.data() + start;
  if (parts_.meaning == Outputs::kValues) {
    for (std::size_t row = first; row < last; ++row) {
      to = write_values(predictions, row, to);
      *to++ = '\n';
    }
  } else if (format_ == RowFormat::kCsv && !parts_.probabilities && !parts_.logits) {
    for (std::size_t row = first; row < last; ++row) {
      to = write_answer(predictions, row, to);
      *to++ = '\n';
    }
  } else {
    for (std::size_t row = first; row < last; ++row) {
      to = format_ == RowFormat::kCsv ? write_csv(predictions, row, to) : write_json(predictions, row, to);
      *to++ = '\n';
    }
  }
  text.resize(static_cast<std::size_t>(to - text.data()));
}

void AnswerWriter::append_with(std::string_view copied, const Predictions& predictions, std::size_t row,
                               std::string& text) const {
  if (format_ == RowFormat::kNdjson) {
    text += '{';
  }
  text += copied;
  append(predictions, row, row + 1, text);
}

void AnswerWriter::append_skipped(std::string_view error, std::string_view copied, std::string& text) const {
  if (format_ == RowFormat::kNdjson) {
    text += '{';
    text += copied;
    text += "\"error\":" + text::json_string(error) + "}\n";
  } else {
    text += copied;
    text.append(std::max<std::size_t>(column_count_, 1) - 1, ',');
    text += '\n';
  }
}

}  // namespace iris
