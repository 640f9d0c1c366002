#include "rows/csv_record.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "rows/float_text.h"
#include "text.h"

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

void check_separators(const std::vector<std::string>& names, const std::string& place) {
  const auto has_return = [](const std::string& name) { return name.find('\r') != std::string::npos; };
  if (std::any_of(names.begin(), names.end(), has_return)) {
    throw InputError(place +
                     "the lines end with a carriage return alone, as on old Macs; change them first: "
                     "tr '\\r' '\\n' < FILE");
  }
  if (names.size() == 1 && names[0].find_first_of(";\t") != std::string::npos) {
    throw InputError(place + "the cells are not separated by commas: " + text::quoted(names[0]));
  }
}

std::size_t column_of(const std::string& name, const std::vector<std::string>& names, const std::string& place,
                      const std::string& way_out, const Choice& choice) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw InputError(place + "the header has no column " + text::printable(name) +
                         "; it has: " + text::printable(text::joined(names)) + way_out,
                     choice);
  }
  if (std::find(found + 1, names.end(), name) != names.end()) {
    throw InputError(place + "the header has the column " + text::printable(name) + " twice");
  }
  return static_cast<std::size_t>(found - names.begin());
}

std::string read_cell(const std::string& cell, const std::string& feature, float& value) {
  const std::optional<float> number = parse_float(cell);
  if (number && std::isfinite(*number)) {
    value = *number;
    return "";
  }
  return text::printable(feature) + ": " +
         (text::trimmed(cell).empty() ? "is empty"
          : number                    ? "not finite as float32: " + text::quoted(cell)
                                      : "not a number: " + text::quoted(cell));
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
