#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "error.h"
#include "rows/csv_kernel.h"
#include "rows/csv_layout.h"
#include "rows/csv_record.h"
#include "rows/float_text.h"
#include "rows/rows.h"
#include "text.h"

namespace iris {
namespace {

using Cells = std::vector<std::string_view>;

std::string place_in(const std::string& name, std::size_t line) { return name + ":" + std::to_string(line) + ": "; }

// The line of a place in a chunk, for places that are asked for in order.
class LineCounter {
 public:
  explicit LineCounter(const Chunk& chunk) : text_(chunk.text), line_(chunk.first_line) {}

  std::size_t line_at(std::size_t place) {
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(place_),
                                                 text_.begin() + static_cast<std::ptrdiff_t>(place), '\n'));
    place_ = place;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t place_ = 0;
  std::size_t line_;
};

// A chunk's cells, where CsvKernel finds them.
class FoundCells {
 public:
  FoundCells(const Chunk& chunk, Rows& rows) : text_(chunk.text) {
    if (!chunk.fault.empty()) {
      return;
    }
    const std::size_t size = text_.size() + 9;  // one before the first end, eight after the last
    if (rows.scratch_size < size) {
      rows.scratch = std::make_unique_for_overwrite<std::uint32_t[]>(size);
      rows.scratch_size = size;
    }
    rows.scratch[0] = ~std::uint32_t{0};
    const CsvKernel::Ends ends = csv_kernel().find_ends(text_.data(), text_.size(), &rows.scratch[1]);
    if (ends.is_regular) {
      first_ = &rows.scratch[1];
      end_ = first_ + ends.count;
      has_quotes_ = ends.has_quotes;
    }
  }

  // Goes on to the record that begins at that place of the text.
  void move_to(std::size_t place) {
    while (first_ != end_ && *first_ < place) {
      ++first_;
    }
  }

  CsvKernel::Rows parse_rows(const CsvKernel::Columns& columns, std::size_t most, float* values) const {
    return first_ == end_ ? CsvKernel::Rows{}
                          : csv_kernel().parse_rows(text_.data(), first_, static_cast<std::size_t>(end_ - first_),
                                                    columns, has_quotes_, most, values);
  }

  // The features of the record that begins here, of which each may be a decimal of any length. Returns how many ends
  // that record has; 0 where one of them is something else.
  std::size_t parse_row(const CsvKernel::Columns& columns, float* values) const {
    const auto left = static_cast<std::size_t>(end_ - first_);
    const std::size_t count = left == 0 ? 0 : ends_of_row(text_.data(), first_, left, columns.count);
    for (std::size_t i = 0; count > 0 && i < columns.wanted; ++i) {
      const std::uint32_t* const end = first_ + columns.places[i];
      const std::uint32_t is_quoted = has_quotes_ && text_[end[-1] + 1U] == '"' ? 1 : 0;
      const char* const cell_end = text_.data() + *end - is_quoted;
      if (parse_decimal(text_.data() + (end[-1] + 1U + is_quoted), cell_end, values[i]) != cell_end) {
        return 0;
      }
    }
    return count;
  }

  // Goes on by so many ends. Returns where the next record begins.
  std::size_t pass_over(std::size_t ends) {
    first_ += ends;
    return first_[-1] + std::size_t{1};
  }

  // The cells of the record that begins here, without their quotes. Returns where the next record begins; 0 where only
  // CsvRecords can tell, or where there are not `count` cells.
  std::size_t take_cells(std::size_t count, Cells& cells) const {
    if (static_cast<std::size_t>(end_ - first_) < count) {
      return 0;
    }
    cells.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t* const its_end = first_ + i;
      std::string_view cell = text_.substr(its_end[-1] + 1U, *its_end - its_end[-1] - 1U);
      if (has_quotes_ && cell.starts_with('"')) {
        cell = cell.substr(1, cell.size() - 2);
        if (cell.find('"') != std::string_view::npos) {
          return 0;
        }
      }
      const char end = text_[*its_end];
      const bool is_last = i + 1 == count;
      if (is_last ? end == ',' : end != ',') {
        return 0;
      }
      cells.push_back(cell);
    }
    const std::size_t last = first_[count - 1];
    const std::size_t next = text_[last] == '\r' ? last + 2 : last + 1;
    return text_[next - 1] == '\n' ? next : 0;
  }

 private:
  std::string_view text_;
  const std::uint32_t* first_ = nullptr;  // the end of the first cell of the next record
  const std::uint32_t* end_ = nullptr;
  bool has_quotes_ = false;
};

class CsvParser : public RowParser {
 public:
  CsvParser(std::string name, RowRequest request, CsvLayout layout, std::string place)
      : name_(std::move(name)), request_(std::move(request)), layout_(std::move(layout)), place_(std::move(place)) {
    features_ = layout_.features;
    index_names_ = layout_.index_names;
    choose_columns();
    tell_notes();
  }

  void settle(const Chunk& chunk) override {
    CsvRecords records(chunk.text, chunk.fault);
    std::vector<std::string> cells;
    records.pass_over_blank_lines();
    if (records.next_of_whole(&cells) && records.fault().empty()) {  // a later one may be in another chunk
      settle_row_names(layout_, cells.size());
    }
    choose_columns();
    tell_notes();
  }

  void parse(const Chunk& chunk, Rows& rows) const override;
  std::vector<std::size_t> lines(const Chunk& chunk) const override;

 private:
  void choose_columns();
  void tell_notes();
  std::string take_features(const Cells& cells, float* row) const;
  std::string take_label(std::string_view cell, Rows& rows) const;
  void copy(const Cells& cells, Rows& rows) const;
  void take_row(const Cells& cells, std::string error, std::size_t place, LineCounter& counter, float*& row,
                Rows& rows) const;

  std::string name_;
  RowRequest request_;
  CsvLayout layout_;
  std::string place_;  // of the header
  std::vector<std::uint32_t> places_;
  CsvKernel::Columns columns_ = {};
  std::vector<std::size_t> copied_;
  bool wants_cells_ = false;  // besides the features
};

void CsvParser::choose_columns() {
  places_.assign(layout_.feature_places.begin(), layout_.feature_places.end());
  bool are_in_order = true;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    are_in_order = are_in_order && places_[i] == i;
  }
  columns_ = {layout_.columns.size(), places_.data(), places_.size(), are_in_order};
  if (request_.copy) {
    copied_ = copied_places(layout_, *request_.copy, place_);
    copied_names_.clear();
    for (const std::size_t place : copied_) {
      copied_names_.push_back(layout_.columns[place]);
    }
  }
  wants_cells_ = layout_.label_place.has_value() || request_.copy.has_value();
}

void CsvParser::tell_notes() {
  for (const std::string& note : std::exchange(layout_.notes, {})) {
    request_.tell(name_ + ": " + note);
  }
}

// What is wrong with a cell that holds no finite number.
std::string wrong_number(const std::string& name, std::string_view cell) {
  return text::printable(name) + ": " +
         (text::trimmed(cell).empty() ? "is empty"
          : parse_float(cell)         ? "not finite as float32: " + text::quoted(cell)
                                      : "not a number: " + text::quoted(cell));
}

// Returns what is wrong, or "".
std::string CsvParser::take_features(const Cells& cells, float* row) const {
  if (cells.size() != columns_.count) {
    return "has " + std::to_string(cells.size()) + (cells.size() == 1 ? " cell, not " : " cells, not ") +
           std::to_string(columns_.count);
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::string_view cell = cells[places_[i]];
    const std::optional<float> number = parse_float(cell);
    if (!number || !std::isfinite(*number)) {
      return wrong_number(features_[i], cell);
    }
    row[i] = *number;
  }
  return "";
}

// Returns what is wrong, or "".
std::string CsvParser::take_label(std::string_view cell, Rows& rows) const {
  const bool has_name = layout_.has_header && layout_.index_names.empty();
  const std::string name = has_name ? layout_.columns[*layout_.label_place] : "label";
  if (request_.label_is_number) {
    const std::optional<float> number = parse_float(cell);
    if (!number || !std::isfinite(*number)) {
      return wrong_number(name, cell);
    }
    rows.targets.push_back(*number);
    return "";
  }
  const std::optional<LabelReader::Found> found = labels_.find(cell);
  if (!found) {
    return text::printable(name) + ": " +
           (text::trimmed(cell).empty() ? "is empty" : "unknown label: " + text::quoted(cell)) + "; the model knows " +
           labels_.names();
  }
  rows.labels.push_back(found->index);
  rows.has_folded_labels = rows.has_folded_labels || found->by == LabelReader::By::kFoldedName;
  rows.has_index_labels = rows.has_index_labels || found->by == LabelReader::By::kIndex;
  return "";
}

// cells: none where they could not be read.
void CsvParser::copy(const Cells& cells, Rows& rows) const {
  for (std::size_t i = 0; i < copied_.size(); ++i) {
    const std::string_view cell = cells.size() == columns_.count ? cells[copied_[i]] : std::string_view();
    rows.copied += request_.copy->to == RowFormat::kNdjson
                       ? text::json_string(copied_names_[i]) + ":" + text::json_string(cell) + ","
                       : csv_cell(cell) + ",";
  }
  rows.copied_ends.push_back(rows.copied.size());
}

// error: what is wrong with the record, or "".
void CsvParser::take_row(const Cells& cells, std::string error, std::size_t place, LineCounter& counter, float*& row,
                         Rows& rows) const {
  Choice::Of choice = Choice::Of::kNothing;
  if (request_.copy) {
    copy(error.empty() ? cells : Cells(), rows);
  }
  if (error.empty()) {
    error = take_features(cells, row);
    if (!error.empty() && layout_.are_features_guessed) {
      error += "; say which columns the model takes";
      choice = Choice::Of::kFeatures;
    }
  }
  if (error.empty() && layout_.label_place && (request_.label_is_number || !labels_.is_empty())) {
    error = take_label(cells[*layout_.label_place], rows);
    choice = error.empty() || request_.label_is_number ? Choice::Of::kNothing : Choice::Of::kLabels;
  }
  if (error.empty()) {
    row += features_.size();
  } else {
    rows.bad.push_back({rows.count, place_in(name_, counter.line_at(place)) + error, {choice}});
  }
  ++rows.count;
}

void CsvParser::parse(const Chunk& chunk, Rows& rows) const {
  rows.count = 0;
  rows.bad.clear();
  rows.labels.clear();
  rows.targets.clear();
  rows.has_folded_labels = rows.has_index_labels = false;
  rows.copied.clear();
  rows.copied_ends.clear();
  const std::size_t feature_count = features_.size();
  // A feature takes two characters at least. CsvKernel writes to one row more, and three numbers after it.
  const std::size_t most =
      std::min(chunk.line_count, chunk.text.size() / (2 * std::max<std::size_t>(feature_count, 1)));
  rows.features.resize((most + 1) * feature_count + 3);
  float* row = rows.features.data();

  CsvRecords records(chunk.text, chunk.fault);
  LineCounter counter(chunk);
  FoundCells found(chunk, rows);
  std::vector<std::string> unquoted;
  Cells cells;
  for (records.pass_over_blank_lines(); records.position() < chunk.text.size(); records.pass_over_blank_lines()) {
    const std::size_t place = records.position();
    found.move_to(place);
    if (!wants_cells_) {
      CsvKernel::Rows parsed = found.parse_rows(columns_, chunk.line_count, row);
      if (parsed.count == 0) {
        parsed.ends = found.parse_row(columns_, row);
        parsed.count = parsed.ends > 0 ? 1 : 0;
      }
      if (parsed.count > 0) {
        row += parsed.count * feature_count;
        rows.count += parsed.count;
        records.move_to(found.pass_over(parsed.ends));
        continue;
      }
    }
    const std::size_t next = found.take_cells(columns_.count, cells);
    if (next > 0) {
      records.move_to(next);
      take_row(cells, "", place, counter, row, rows);
    } else {
      records.next_of_whole(&unquoted);
      cells.assign(unquoted.begin(), unquoted.end());
      take_row(cells, std::string(records.fault()), place, counter, row, rows);
    }
  }
  rows.features.resize(static_cast<std::size_t>(row - rows.features.data()));
}

std::vector<std::size_t> CsvParser::lines(const Chunk& chunk) const {
  std::vector<std::size_t> lines;
  CsvRecords records(chunk.text, chunk.fault);
  LineCounter counter(chunk);
  for (records.pass_over_blank_lines(); records.position() < chunk.text.size(); records.pass_over_blank_lines()) {
    lines.push_back(counter.line_at(records.position()));
    records.next_of_whole(nullptr);
  }
  return lines;
}

// Whether one of the line's cells is a number, with quotes or without.
bool holds_number(std::string_view line) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(','), line.size());
    std::string cell(line.substr(0, end));
    cell.erase(std::remove_if(cell.begin(), cell.end(), [](char c) { return c == '"' || c == '\r'; }), cell.end());
    if (parse_float(cell)) {
      return true;
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return false;
}

}  // namespace

CsvStart start_csv(const std::string& name, const RowRequest& request, const Chunk& chunk,
                   std::optional<Unreadable>& unreadable) {
  CsvRecords records(chunk.text, chunk.fault);
  LineCounter counter(chunk);
  std::vector<std::string> cells;
  CsvStart start;
  do {
    records.pass_over_blank_lines();
    start.header_begin = records.position();
    if (!records.next_of_whole(&cells)) {
      break;
    }
    if (!unreadable) {
      check_first_line(std::string_view(chunk.text).substr(start.header_begin), records.fault().empty(), request,
                       place_in(name, counter.line_at(start.header_begin)));
    }
    if (!records.fault().empty() && !unreadable) {
      const std::string_view line = chunk.text.substr(start.header_begin);
      unreadable = {place_in(name, counter.line_at(start.header_begin)) + std::string(records.fault()),
                    !holds_number(line.substr(0, line.find('\n')))};
    }
  } while (!records.fault().empty());
  const bool has_record = records.position() > start.header_begin;
  if (!has_record && !chunk.text.empty()) {
    return start;
  }
  const std::string place = place_in(name, counter.line_at(start.header_begin));
  CsvLayout layout = has_record ? make_csv_layout(cells, request, place) : csv_layout_without_rows(request);
  if (has_record && !layout.has_header && unreadable && unreadable->may_be_header) {
    throw InputError(unreadable->error + "; it may have been the header");
  }
  start.header_end = layout.has_header ? records.position() : start.header_begin;
  start.parser = std::make_unique<CsvParser>(name, request, std::move(layout), place);
  return start;
}

}  // namespace iris
