#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "error.h"
#include "rows/csv_record.h"
#include "rows/float_text.h"
#include "rows/rows.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kShortCell = 4;  // with what is behind it
constexpr std::size_t kIgnored = std::numeric_limits<std::size_t>::max();

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text::printable(text);
}

// A carriage return alone is no line's end.
void pass_over_blank_lines(std::string_view& text, std::size_t& line) {
  while (text.starts_with('\n') || text.starts_with("\r\n")) {
    text.remove_prefix(text.front() == '\n' ? 1 : 2);
    ++line;
  }
}

// parse_decimal and, where that is not enough, the C++ library; nullptr where there is no finite number.
const char* parse_number(const char* text, float& value) {
  if (const char* const end = parse_decimal(text, value)) {
    return end;
  }
  const char* end = text;
  while (*end != ',' && *end != '\n' && *end != '\r' && *end != '"') {
    ++end;
  }
  const auto result = std::from_chars(text, end, value);
  return result.ec == std::errc() && result.ptr == end && std::isfinite(value) ? end : nullptr;
}

class CsvParser : public RowParser {
 public:
  CsvParser(const std::string& name, std::vector<std::string> features, Chunk& first) : name_(name) {
    features_ = std::move(features);
    if (!first.fault.empty()) {
      throw InputError(place(first.first_line) + std::string(first.fault));
    }
    std::string_view text = first.text;
    std::size_t line = first.first_line;
    pass_over_blank_lines(text, line);
    if (text.empty()) {
      return;
    }
    const std::string_view all = text;
    std::vector<std::string> cells;
    const std::string_view fault = take_csv_record(text, cells);
    if (!fault.empty()) {
      throw InputError(place(line) + std::string(fault));
    }
    const auto is_number = [](const std::string& cell) { return parse_float(cell).has_value(); };
    if (std::all_of(cells.begin(), cells.end(), is_number) && !is_header_of_numbers(cells)) {
      if (features_.empty()) {
        number_features(cells.size());
      }
      for (std::size_t i = 0; i < features_.size(); ++i) {
        columns_.push_back(i);
      }
      is_in_order_ = true;
      return;
    }
    read_header(cells, place(line));
    const std::string_view header = all.substr(0, all.size() - text.size());
    const auto lines = static_cast<std::size_t>(std::count(header.begin(), header.end(), '\n'));
    first.first_line = line + lines;
    first.line_count -= lines;
    first.text = text;
  }

  void parse(const Chunk& chunk, Rows& rows) const override;
  bool parse_tenths(const Chunk& chunk, std::vector<std::uint8_t>& tenths) const override;
  std::string place_of(const Chunk& chunk, std::size_t number) const override;

 private:
  std::string place(std::size_t line) const { return name_ + ":" + std::to_string(line) + ": "; }

  void number_features(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      features_.push_back("x" + std::to_string(i));
    }
  }

  // A data frame without names is written with the header 0,1,2,…; it is one if the features are called so.
  bool is_header_of_numbers(const std::vector<std::string>& cells) const {
    const auto is_a_cell = [&](const std::string& feature) {
      return std::any_of(cells.begin(), cells.end(), [&](const std::string& cell) { return trimmed(cell) == feature; });
    };
    return !features_.empty() && std::all_of(features_.begin(), features_.end(), is_a_cell);
  }

  void read_header(const std::vector<std::string>& cells, const std::string& place);
  bool parse_short(std::string_view text, float* row) const;
  const char* parse_plain(const char* text, float* row) const;
  std::string parse_cells(const std::vector<std::string>& cells, float* row) const;

  std::string name_;
  std::vector<std::size_t> columns_;  // for each column, the feature that it is, or kIgnored
  bool is_in_order_ = false;          // the columns are the features and no others
};

[[noreturn]] void fail_at_header(const std::string& place, const std::string& fact,
                                 const std::vector<std::string>& names) {
  const auto has_return = [](const std::string& name) { return name.find('\r') != std::string::npos; };
  if (std::any_of(names.begin(), names.end(), has_return)) {
    throw InputError(place +
                     "the lines end with a carriage return alone, as on old Macs; change them on the way in: "
                     "tr '\\r' '\\n' < FILE | iris predict MODEL -i -");
  }
  if (names.size() == 1 && names[0].find_first_of(";\t") != std::string::npos) {
    throw InputError(place + "the cells are not separated by commas: " + text::quoted(names[0]));
  }
  const auto is_number = [](const std::string& name) { return parse_float(name).has_value(); };
  const auto text = std::find_if_not(names.begin(), names.end(), is_number);
  if (text != names.end() && std::any_of(names.begin(), names.end(), is_number)) {
    throw InputError(place + "the first row is no header, and no row of numbers: " + text::quoted(*text) +
                     "; without a header there must be the features alone");
  }
  throw InputError(place + fact + joined(names));
}

void CsvParser::read_header(const std::vector<std::string>& cells, const std::string& place) {
  std::vector<std::string> names;
  for (const std::string& cell : cells) {
    names.push_back(trimmed(cell));
  }
  if (features_.empty()) {
    std::size_t count = 0;
    while (std::find(names.begin(), names.end(), "x" + std::to_string(count)) != names.end()) {
      ++count;
    }
    number_features(count);
  }
  if (features_.empty()) {
    fail_at_header(place,
                   "the model does not name its features; say which columns they are with --features, of: ", names);
  }
  columns_.assign(names.size(), kIgnored);
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const auto found = std::find(names.begin(), names.end(), features_[i]);
    if (found == names.end()) {
      fail_at_header(place, "the header has no column " + text::printable(features_[i]) + "; it has: ", names);
    }
    if (std::find(found + 1, names.end(), features_[i]) != names.end()) {
      throw InputError(place + "the header has the column " + text::printable(features_[i]) + " twice");
    }
    columns_[static_cast<std::size_t>(found - names.begin())] = i;
  }
  is_in_order_ = names == features_;
}

// A line of nothing but "5.1" and such, as measurements are written.
bool CsvParser::parse_short(std::string_view text, float* row) const {
  const std::size_t count = columns_.size();
  if (!is_in_order_ || text.size() < kShortCell * count) {
    return false;
  }
  bool is_short = true;
  for (std::size_t i = 0; i < count && is_short; ++i) {
    is_short = iris::parse_tenths(text.data() + kShortCell * i, i + 1 == count ? '\n' : ',', row[i]);
  }
  return is_short;
}

// A line of plain cells, the features among them decimals, quoted or not: its values into `row`. Returns where the next
// line begins; nullptr for any other line, good or bad.
const char* CsvParser::parse_plain(const char* text, float* row) const {
  const std::size_t last = columns_.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    if (columns_[i] == kIgnored) {
      while (*text != ',' && *text != '\n' && *text != '\r' && *text != '"') {
        ++text;
      }
    } else {
      const bool is_quoted = *text == '"';
      text = parse_number(text + (is_quoted ? 1 : 0), row[columns_[i]]);
      if (text == nullptr || (is_quoted && *text != '"')) {
        return nullptr;
      }
      text += is_quoted ? 1 : 0;
    }
    if (i == last && *text == '\r') {
      ++text;
    }
    if (*text++ != (i == last ? '\n' : ',')) {
      return nullptr;
    }
  }
  return text;
}

// Into `row`, or returns what is wrong.
std::string CsvParser::parse_cells(const std::vector<std::string>& cells, float* row) const {
  if (cells.size() != columns_.size()) {
    return "has " + std::to_string(cells.size()) + " cells, not " + std::to_string(columns_.size());
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (columns_[i] == kIgnored) {
      continue;
    }
    const std::optional<float> value = parse_float(cells[i]);
    if (!value || !std::isfinite(*value)) {
      const std::string fact = trimmed(cells[i]).empty() ? "is empty"
                               : value                   ? "not finite as float32: " + text::quoted(cells[i])
                                                         : "not a number: " + text::quoted(cells[i]);
      return text::printable(features_[columns_[i]]) + ": " + fact;
    }
    row[columns_[i]] = *value;
  }
  return "";
}

// Takes the chunk's next record off `text`, its lines being counted. Returns what is wrong with it, or nothing.
std::string_view take_record(std::string_view& text, std::size_t& line, std::string_view fault,
                             std::vector<std::string>& cells) {
  const std::string_view before = fault.empty() ? text : text.substr(0, text.find('\n') + 1);
  std::string_view rest = before;
  const std::string_view error = take_csv_record(rest, cells);
  const std::string_view record = before.substr(0, before.size() - rest.size());
  line += static_cast<std::size_t>(std::count(record.begin(), record.end(), '\n'));
  text.remove_prefix(record.size());
  return error == kQuoteIsOpen && !fault.empty() ? fault : error;
}

void CsvParser::parse(const Chunk& chunk, Rows& rows) const {
  rows.bad.clear();
  rows.count = 0;
  rows.features.resize(most_rows(chunk, features_.size()) * features_.size());
  float* row = rows.features.data();
  std::string_view text = chunk.text;
  std::size_t line = chunk.first_line;
  std::vector<std::string> cells;
  for (; !text.empty(); ++rows.count) {
    if (text.front() == '\n' || text.front() == '\r') {
      pass_over_blank_lines(text, line);
      if (text.empty()) {
        break;
      }
    }
    const char* next = nullptr;
    if (chunk.fault.empty()) {
      next = parse_short(text, row) ? text.data() + kShortCell * columns_.size() : parse_plain(text.data(), row);
    }
    if (next != nullptr) {
      text.remove_prefix(static_cast<std::size_t>(next - text.data()));
      ++line;
      row += features_.size();
      continue;
    }
    const std::size_t first_line = line;
    std::string error(take_record(text, line, chunk.fault, cells));
    if (error.empty()) {
      error = parse_cells(cells, row);
    }
    if (error.empty()) {
      row += features_.size();
    } else {
      rows.bad.push_back({rows.count, place(first_line) + error});
    }
  }
  rows.features.resize(static_cast<std::size_t>(row - rows.features.data()));
}

bool CsvParser::parse_tenths(const Chunk& chunk, std::vector<std::uint8_t>& tenths) const {
  const std::size_t count = chunk.line_count * columns_.size();
  if (!is_in_order_ || !chunk.fault.empty() || chunk.text.size() != kShortCell * count) {
    return false;
  }
  tenths.resize(count);
  return iris::parse_tenths(chunk.text.data(), columns_.size(), tenths);
}

std::string CsvParser::place_of(const Chunk& chunk, std::size_t number) const {
  std::string_view text = chunk.text;
  std::size_t line = chunk.first_line;
  std::vector<std::string> cells;
  pass_over_blank_lines(text, line);
  for (; number > 0; --number) {
    take_record(text, line, chunk.fault, cells);
    pass_over_blank_lines(text, line);
  }
  return place(line);
}

}  // namespace

std::unique_ptr<RowParser> make_csv_parser(const std::string& name, std::vector<std::string> features, Chunk& first) {
  return std::make_unique<CsvParser>(name, std::move(features), first);
}

}  // namespace iris
