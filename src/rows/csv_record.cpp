#include "rows/csv_record.h"

#include <algorithm>

namespace iris {

// Only the record's first line is lost.
bool CsvRecords::end_first_line(std::size_t newline) {
  fault_ = open_fault_;
  position_ = newline + 1;
  return true;
}

bool CsvRecords::next(std::vector<std::string>* cells) {
  CsvScanner scanner;
  fault_ = {};
  if (cells != nullptr) {
    cells->assign(1, "");
  }
  std::size_t first_newline = std::string_view::npos;  // of those in quotes
  std::size_t last_newline = 0;
  for (std::size_t i = position_; i < text_.size(); ++i) {
    const bool was_quoted = scanner.is_after_quote();
    switch (scanner.next(text_[i])) {
      case CsvScanner::Is::kStrayText:
        if (first_newline != std::string_view::npos) {
          open_until_ = last_newline + 1;
          return end_first_line(first_newline);
        }
        fault_ = kTextAfterQuote;
        break;
      case CsvScanner::Is::kText:
        if (text_[i] == '\n') {  // in quotes
          first_newline = std::min(first_newline, i);
          last_newline = i;
          if (i < open_until_) {
            return end_first_line(i);
          }
        }
        if (cells != nullptr) {
          cells->back() += text_[i];
        }
        break;
      case CsvScanner::Is::kQuote:
        break;
      case CsvScanner::Is::kCellEnd:
        if (cells != nullptr) {
          cells->emplace_back();
        }
        break;
      case CsvScanner::Is::kRecordEnd:
        while (cells != nullptr && !was_quoted && cells->back().ends_with('\r')) {
          cells->back().pop_back();
        }
        position_ = i + 1;
        return true;
    }
  }
  return false;
}

bool CsvRecords::next_of_whole(std::vector<std::string>* cells) {
  if (position_ == text_.size()) {
    return false;
  }
  if (!next(cells)) {
    open_until_ = text_.size();
    return next(cells);
  }
  return true;
}

void CsvRecords::pass_over_blank_lines() {
  while (true) {
    const std::size_t end = text_.find_first_not_of('\r', position_);
    if (end == std::string_view::npos || text_[end] != '\n') {
      return;
    }
    position_ = end + 1;
  }
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  std::string cell = "\"";
  for (const char character : text) {
    cell += character == '"' ? "\"\"" : std::string(1, character);
  }
  return cell + '"';
}

}  // namespace iris
