// Answers as CSV or JSON lines.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rows/predictions.h"
#include "rows/row_format.h"

namespace iris {

struct AnswerParts {
  bool probabilities = false;
  bool logits = false;
};

// Whether JSON answers have a member of that name.
bool is_answer_member(std::string_view name);

// One model's answers in one format. Any number of threads may use it.
class AnswerWriter {
 public:
  // copied_names: set where each answer begins with what is copied of its row (Rows::copied_of); in CSV, the names of
  // those columns. Throws InputError where one of them is a column or member of the answers too.
  AnswerWriter(RowFormat format, const std::vector<std::string>& labels, AnswerParts parts,
               const std::optional<std::vector<std::string>>& copied_names = std::nullopt);

  std::size_t class_count() const { return begins_.size(); }

  // CSV's first line: what is copied, "label,confidence", and "p_LABEL" and "logit_LABEL" for each class when asked
  // for. "" for NDJSON.
  std::string header() const;

  // Appends one line for each row from `first` to `last`:
  // setosa,0.987120 or {"label":"setosa","index":0,"confidence":0.98712}, and the parts. In CSV, confidences and
  // probabilities have 6 decimals. All other floats have every digit that a float32 needs.
  void append(const Predictions& predictions, std::size_t first, std::size_t last, std::string& text) const;

  // Appends one line, which begins with what is copied.
  void append_with(std::string_view copied, const Predictions& predictions, std::size_t row, std::string& text) const;

  // Appends the line of a row that was skipped: empty cells, or {"error":"…"}, after what is copied.
  void append_skipped(std::string_view error, std::string_view copied, std::string& text) const;

 private:
  char* write_answer(const Predictions& predictions, std::size_t row, char* to) const;
  char* write_csv(const Predictions& predictions, std::size_t row, char* to) const;
  char* write_json(const Predictions& predictions, std::size_t row, char* to) const;

  struct Begin {
    std::string padded;
    std::size_t size;
  };

  RowFormat format_;
  AnswerParts parts_;
  bool follows_copied_;                         // then in JSON the object is open already
  std::vector<Begin> begins_;                   // of each class's lines: everything before the confidence
  std::vector<std::string> probability_names_;  // in JSON: "{" or "," and the label
  std::string header_;
  std::size_t max_line_ = 0;
};

}  // namespace iris
