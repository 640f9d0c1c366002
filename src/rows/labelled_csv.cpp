#include "rows/labelled_csv.h"

#include <algorithm>
#include <utility>

#include "error.h"
#include "rows/csv_record.h"
#include "text.h"

namespace iris {
namespace {

std::string list_of(const std::vector<std::string>& names) { return text::printable(text::joined(names)); }

}  // namespace

LabelledCsv::LabelledCsv(const std::string& path, Columns columns)
    : columns_(std::move(columns)), reader_(path, RowFormat::kCsv) {
  read_header();
}

// False at the end of the chunk. Blank lines are skipped.
bool LabelledCsv::take_record(std::vector<std::string>& cells) {
  line_ = next_line_;
  while (!text_.empty() && (text_.front() == '\n' || text_.front() == '\r')) {
    line_ += text_.front() == '\n' ? 1U : 0U;
    text_.remove_prefix(1);
  }
  if (text_.empty()) {
    return false;
  }
  if (!chunk_.fault.empty()) {
    throw InputError(place() + std::string(chunk_.fault));
  }
  const std::string_view before = text_;
  const std::string_view fault = take_csv_record(text_, cells);
  if (!fault.empty()) {
    throw InputError(place() + std::string(fault));
  }
  const std::string_view record = before.substr(0, before.size() - text_.size());
  next_line_ = line_ + static_cast<std::size_t>(std::count(record.begin(), record.end(), '\n'));
  return true;
}

void LabelledCsv::read_header() {
  std::vector<std::string> names;
  do {
    if (!reader_.next(chunk_)) {
      throw InputError(reader_.name() + ": is empty; the first line has to name the columns" +
                       (columns_.features.empty() ? "" : ": " + list_of(columns_.features)) + ", " + columns_.label);
    }
    text_ = chunk_.text;
    next_line_ = chunk_.first_line;
  } while (!take_record(names));
  for (std::string& name : names) {
    name = text::trimmed(name);
  }
  check_separators(names, place());
  cell_count_ = names.size();
  label_cell_ =
      column_of(columns_.label, names, place(), "; choose the one that holds the classes", {Choice::Of::kLabelColumn});
  if (columns_.features.empty()) {
    columns_.features = names;
    columns_.features.erase(columns_.features.begin() + static_cast<std::ptrdiff_t>(label_cell_));
  }
  for (const std::string& feature : columns_.features) {
    feature_cells_.push_back(column_of(feature, names, place()));
  }
}

void LabelledCsv::add_row(const std::vector<std::string>& cells, const std::vector<std::string>& labels,
                          LabelledRows& rows) const {
  if (cells.size() != cell_count_) {
    throw InputError(place() + "has " + std::to_string(cells.size()) + " cells, not " + std::to_string(cell_count_));
  }
  for (std::size_t i = 0; i < feature_cells_.size(); ++i) {
    float& value = rows.features.emplace_back();
    const std::string fault = read_cell(cells[feature_cells_[i]], columns_.features[i], value);
    if (!fault.empty()) {
      throw InputError(place() + fault);
    }
  }
  const std::string& cell = cells[label_cell_];
  const auto label = std::find(labels.begin(), labels.end(), cell);
  if (label == labels.end()) {
    throw InputError(place() + columns_.label + ": " +
                     (cell.empty() ? "is empty" : "unknown label: " + text::quoted(cell)) + "; the model knows " +
                     list_of(labels));
  }
  rows.labels.push_back(label - labels.begin());
}

bool LabelledCsv::next(const std::vector<std::string>& labels, LabelledRows& rows) {
  rows.features.clear();
  rows.labels.clear();
  std::vector<std::string> cells;
  while (rows.labels.empty()) {
    while (take_record(cells)) {
      add_row(cells, labels, rows);
    }
    if (rows.labels.empty()) {
      if (!reader_.next(chunk_)) {
        return false;
      }
      text_ = chunk_.text;
      next_line_ = chunk_.first_line;
    }
  }
  return true;
}

LabelledRows read_labelled_csv(const std::string& path, const LabelledCsv::Columns& columns,
                               const std::vector<std::string>& labels) {
  LabelledCsv csv(path, columns);
  LabelledRows all;
  LabelledRows some;
  while (csv.next(labels, some)) {
    all.features.insert(all.features.end(), some.features.begin(), some.features.end());
    all.labels.insert(all.labels.end(), some.labels.begin(), some.labels.end());
  }
  if (all.labels.empty()) {
    throw InputError(csv.reader().name() + ": holds no rows, only a header");
  }
  return all;
}

}  // namespace iris
