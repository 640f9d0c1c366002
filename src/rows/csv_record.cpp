#include "rows/csv_record.h"

namespace iris {

std::string_view take_csv_record(std::string_view& text, std::vector<std::string>& cells) {
  enum { kCellStart, kPlain, kQuoted, kQuoteInQuoted } state = kCellStart;  // the same states as ChunkReader's
  std::string_view fault;
  cells.assign(1, "");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    if (state == kQuoted) {
      if (character == '"') {
        state = kQuoteInQuoted;
      } else {
        cells.back() += character;
      }
    } else if (character == '"' && state != kPlain) {
      if (state == kQuoteInQuoted) {
        cells.back() += '"';
      }
      state = kQuoted;
    } else if (character == '\n') {
      text.remove_prefix(i + 1);
      return fault;
    } else if (character == ',') {
      cells.emplace_back();
      state = kCellStart;
    } else if (character != '\r' || text[i + 1] != '\n') {
      fault = state == kQuoteInQuoted ? "there is text after a closing quote" : fault;
      cells.back() += character;
      state = kPlain;
    }
  }
  text = {};
  return kQuoteIsOpen;
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
