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

constexpr std::size_t kShortCell = 4;  // "5.1,"
constexpr std::size_t kIgnored = std::numeric_limits<std::size_t>::max();

// A carriage return alone does not end a line.
void pass_over_blank_lines(std::string_view& text, std::size_t& line) {
  while (text.starts_with('\n') || text.starts_with("\r\n")) {
    text.remove_prefix(text.front() == '\n' ? 1 : 2);
    ++line;
  }
}

// By parse_decimal, else by std::from_chars. Returns the end, or nullptr where the cell is not a finite number.
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

  // A data frame without names is written with the header 0,1,2,…. The cells are one if the features have these names.
  bool is_header_of_numbers(const std::vector<std::string>& cells) const {
    const auto is_a_cell = [&](const std::string& feature) {
      return std::any_of(cells.begin(), cells.end(),
                         [&](const std::string& cell) { return text::trimmed(cell) == feature; });
    };
    return !features_.empty() && std::all_of(features_.begin(), features_.end(), is_a_cell);
  }

  void read_header(const std::vector<std::string>& cells, const std::string& place);
  const char* parse_plain(const char* text, float* row) const;
  std::string parse_cells(const std::vector<std::string>& cells, float* row) const;

  std::string name_;
  std::vector<std::size_t> columns_;  // for each column the index of its feature, or kIgnored
  bool is_in_order_ = false;          // the columns are exactly the features, in order
};

void CsvParser::read_header(const std::vector<std::string>& cells, const std::string& place) {
  std::vector<std::string> names;
  for (const std::string& cell : cells) {
    names.emplace_back(text::trimmed(cell));
  }
  const auto is_feature = [&](const std::string& name) { return std::count(names.begin(), names.end(), name) > 0; };
  if (features_.empty() || !std::all_of(features_.begin(), features_.end(), is_feature)) {
    check_separators(names, place);
    const auto is_number = [](const std::string& name) { return parse_float(name).has_value(); };
    const auto text = std::find_if_not(names.begin(), names.end(), is_number);
    if (text != names.end() && std::any_of(names.begin(), names.end(), is_number)) {
      throw InputError(place + "the first row is neither a header nor a row of numbers: " + text::quoted(*text) +
                       "; without a header the columns must be the features alone");
    }
  }
  if (features_.empty()) {
    std::size_t count = 0;
    while (std::find(names.begin(), names.end(), "x" + std::to_string(count)) != names.end()) {
      ++count;
    }
    number_features(count);
  }
  if (features_.empty()) {
    throw InputError(place + "the model does not name its features; say which of these columns they are: " +
                         text::printable(text::joined(names)),
                     {Choice::Of::kFeatures});
  }
  columns_.assign(names.size(), kIgnored);
  for (std::size_t i = 0; i < features_.size(); ++i) {
    columns_[column_of(features_[i], names, place)] = i;
  }
  is_in_order_ = names == features_;
}

// Parses a line of plain cells, quoted or not, into `row`. Returns where the next line begins, or nullptr for a line
// that needs the full parser, good or bad.
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

// Parses the cells into `row`. Returns what is wrong, or "".
std::string CsvParser::parse_cells(const std::vector<std::string>& cells, float* row) const {
  if (cells.size() != columns_.size()) {
    return "has " + std::to_string(cells.size()) + " cells, not " + std::to_string(columns_.size());
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (columns_[i] == kIgnored) {
      continue;
    }
    const std::string fault = read_cell(cells[i], features_[columns_[i]], row[columns_[i]]);
    if (!fault.empty()) {
      return fault;
    }
  }
  return "";
}

// Takes the next record off `text` and counts its lines. Returns what is wrong with the record, or "".
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
      next = parse_plain(text.data(), row);
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
