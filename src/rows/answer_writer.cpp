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

bool is_answer_member(std::string_view name) {
  constexpr std::array kMembers = {"label", "index", "confidence", "probabilities", "logits", "error"};
  return std::find(kMembers.begin(), kMembers.end(), name) != kMembers.end();
}

AnswerWriter::AnswerWriter(RowFormat format, const std::vector<std::string>& labels, AnswerParts parts,
                           const std::optional<std::vector<std::string>>& copied_names)
    : format_(format), parts_(parts), follows_copied_(copied_names.has_value()) {
  const std::string opening = follows_copied_ ? "" : "{";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string text = format == RowFormat::kCsv ? csv_cell(labels[i]) + ","
                                                 : opening + "\"label\":" + text::json_string(labels[i]) +
                                                       ",\"index\":" + std::to_string(i) + ",\"confidence\":";
    const std::size_t size = text.size();
    text.resize(size + kBlock);
    begins_.push_back({std::move(text), size});
    probability_names_.push_back((i == 0 ? "{" : ",") + text::json_string(labels[i]) + ":");
    max_line_ = std::max(max_line_, size);
  }
  max_line_ += format == RowFormat::kCsv ? kSixDecimals + 1
                                         : kMaxFloat + std::string_view(R"(,"probabilities":},"logits":[]})").size();
  for (const std::string& name : probability_names_) {
    max_line_ += (parts.probabilities ? name.size() + kMaxFloat : 0) + (parts.logits ? kMaxFloat : 0);
  }
  std::vector<std::string> columns = {"label", "confidence"};
  for (const std::string& label : parts.probabilities ? labels : std::vector<std::string>{}) {
    columns.push_back("p_" + label);
  }
  for (const std::string& label : parts.logits ? labels : std::vector<std::string>{}) {
    columns.push_back("logit_" + label);
  }
  for (const std::string& name : copied_names.value_or(std::vector<std::string>())) {
    if (format == RowFormat::kCsv ? std::find(columns.begin(), columns.end(), name) != columns.end()
                                  : is_answer_member(name)) {
      throw InputError("the answers have a column " + text::printable(name) + " too; it cannot be copied",
                       {Choice::Of::kCopy});
    }
    header_ += csv_cell(name) + ",";
  }
  for (const std::string& column : columns) {
    header_ += csv_cell(column) + ",";
  }
  header_.back() = '\n';
  if (format == RowFormat::kNdjson) {
    header_.clear();
  }
}

std::string AnswerWriter::header() const { return header_; }

inline char* AnswerWriter::write_answer(const Predictions& predictions, std::size_t row, char* to) const {
  const std::size_t best = predictions.best[row];
  to = write_begin(begins_[best].padded, begins_[best].size, to);
  return write_six_decimals(predictions.probabilities[row * predictions.class_count + best], to);
}

char* AnswerWriter::write_csv(const Predictions& predictions, std::size_t row, char* to) const {
  const auto probabilities = predictions.probabilities_of(row);
  to = write_answer(predictions, row, to);
  for (std::size_t i = 0; parts_.probabilities && i < probabilities.size(); ++i) {
    *to++ = ',';
    to = write_six_decimals(probabilities[i], to);
  }
  for (std::size_t i = 0; parts_.logits && i < probabilities.size(); ++i) {
    *to++ = ',';
    to = write_shortest(predictions.logits_of(row)[i], to);
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
      to = write_text(probability_names_[i], to);
      to = write_shortest(probabilities[i], to);
    }
    *to++ = '}';
  }
  if (parts_.logits) {
    to = write_text(",\"logits\":", to);
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      *to++ = i == 0 ? '[' : ',';
      to = write_shortest(predictions.logits_of(row)[i], to);
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
  if (format_ == RowFormat::kCsv && !parts_.probabilities && !parts_.logits) {
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
    const std::size_t lists = (parts_.probabilities ? 1U : 0U) + (parts_.logits ? 1U : 0U);
    text += copied;
    text.append(1 + lists * begins_.size(), ',');
    text += '\n';
  }
}

}  // namespace iris
