// A record of a CSV file (RFC 4180).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

constexpr std::string_view kTextAfterQuote = "there is text after a closing quote";
constexpr std::string_view kQuoteIsOpen = "a quote is not closed, or there is text after the quote that closes it";

// What each character of a file is. A quote opens a quoted cell only as the cell's first character; in a quoted cell
// two quotes mean one.
class CsvScanner {
 public:
  enum class Is { kText, kQuote, kCellEnd, kRecordEnd, kStrayText };

  Is next(char character) {
    if (state_ == State::kQuoted) {
      state_ = character == '"' ? State::kQuoteInQuoted : State::kQuoted;
      return character == '"' ? Is::kQuote : Is::kText;
    }
    if (character == ',' || character == '\n') {
      state_ = State::kCellStart;
      return character == ',' ? Is::kCellEnd : Is::kRecordEnd;
    }
    if (character == '"' && (state_ == State::kCellStart || state_ == State::kQuoteInQuoted)) {
      const bool is_second = state_ == State::kQuoteInQuoted;
      state_ = State::kQuoted;
      return is_second ? Is::kText : Is::kQuote;
    }
    const bool is_after_quote = this->is_after_quote();
    if (character == '\r' && is_after_quote) {
      state_ = State::kReturnAfterQuote;
      return Is::kQuote;
    }
    state_ = State::kPlain;
    return is_after_quote ? Is::kStrayText : Is::kText;
  }

  // Goes on after text without quotes, from outside a quoted cell.
  void pass_over(std::string_view text) {
    if (!text.empty()) {
      state_ = text.ends_with(',') || text.ends_with('\n') ? State::kCellStart : State::kPlain;
    }
  }

  bool is_in_quotes() const { return state_ == State::kQuoted; }
  bool is_after_quote() const { return state_ == State::kQuoteInQuoted || state_ == State::kReturnAfterQuote; }

 private:
  enum class State { kCellStart, kPlain, kQuoted, kQuoteInQuoted, kReturnAfterQuote };
  State state_ = State::kCellStart;
};

// The records of a text, one after the other. A newline outside quotes, with any number of carriage returns before it,
// ends a record. A quote that is never closed, or whose closing quote is followed by text on a later line, costs only
// its first line: the next line begins a record. Takes time in proportion to the text, whatever is in it.
class CsvRecords {
 public:
  // open_fault: not empty: whatever is open at the end of a line is not closed at all, and this is what is wrong.
  explicit CsvRecords(std::string_view text, std::string_view open_fault = {})
      : text_(text),
        open_fault_(open_fault.empty() ? kQuoteIsOpen : open_fault),
        open_until_(open_fault.empty() ? 0 : text.size()) {}

  // Goes on to the next record, and puts its unquoted cells into `cells` unless it is nullptr. False where the text
  // ends before the record does.
  bool next(std::vector<std::string>* cells);
  // The same, but a record that is still open at the end of the text is never closed. False at the end of the text,
  // which must end with a newline.
  bool next_of_whole(std::vector<std::string>* cells);
  // Passes over empty lines, with and without carriage returns.
  void pass_over_blank_lines();

  // What is wrong with the quoting of the record that next() took, or "". Its cells are not to be used then.
  std::string_view fault() const { return fault_; }
  // Where the next record begins.
  std::size_t position() const { return position_; }
  void move_to(std::size_t position) { position_ = position; }

 private:
  bool end_first_line(std::size_t newline);

  std::string_view text_;
  std::string_view open_fault_;
  // A record that is open at the end of a line before this place is not closed.
  std::size_t open_until_;
  std::size_t position_ = 0;
  std::string_view fault_;
};

// The text as one cell, quoted if it holds a comma, a quote or a line break.
std::string csv_cell(std::string_view text);

}  // namespace iris
