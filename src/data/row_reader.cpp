#include "data/row_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/float_text.h"
#include "error.h"
#include "pickle/text.h"

namespace iris {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return pickle::printable(text);
}

}  // namespace

RowReader::RowReader(const std::string& path, std::vector<std::string> features)
    : csv_(path), features_(std::move(features)) {
  if (!csv_.next(cells_)) {
    return;
  }
  const auto is_number = [](const std::string& cell) { return parse_float(cell).has_value(); };
  has_first_row_ = std::all_of(cells_.begin(), cells_.end(), is_number) && !is_header_of_numbers();
  column_count_ = cells_.size();
  if (!has_first_row_) {
    read_header(cells_);
    return;
  }
  if (features_.empty()) {
    for (std::size_t i = 0; i < column_count_; ++i) {
      features_.push_back("x" + std::to_string(i));
    }
  }
  column_count_ = features_.size();
  for (std::size_t i = 0; i < column_count_; ++i) {
    columns_.push_back(i);
  }
}

// A data frame without names is written with the header 0,1,2,…; it is one if the features are called so.
bool RowReader::is_header_of_numbers() const {
  const auto is_a_cell = [&](const std::string& feature) {
    return std::any_of(cells_.begin(), cells_.end(), [&](const std::string& cell) { return trimmed(cell) == feature; });
  };
  return !features_.empty() && std::all_of(features_.begin(), features_.end(), is_a_cell);
}

void RowReader::fail_at_header(const std::string& fact, const std::vector<std::string>& names) const {
  if (names.size() == 1 && names[0].find_first_of(";\t") != std::string::npos) {
    throw InputError(csv_.place() + "the cells are not separated by commas: " + pickle::quoted(names[0]));
  }
  const auto is_number = [](const std::string& name) { return parse_float(name).has_value(); };
  const auto text = std::find_if_not(names.begin(), names.end(), is_number);
  if (text != names.end() && std::any_of(names.begin(), names.end(), is_number)) {
    throw InputError(csv_.place() + "the first row is no header, and no row of numbers: " + pickle::quoted(*text) +
                     "; without a header there must be the features alone");
  }
  throw InputError(csv_.place() + fact + joined(names));
}

void RowReader::read_header(const std::vector<std::string>& cells) {
  std::vector<std::string> names;
  for (const std::string& cell : cells) {
    names.push_back(trimmed(cell));
  }
  const bool unnamed = features_.empty();
  for (std::size_t i = 0; unnamed; ++i) {
    const std::string name = "x" + std::to_string(i);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      break;
    }
    features_.push_back(name);
  }
  if (features_.empty()) {
    fail_at_header("the model does not name its features; say which columns they are with --features, of: ", names);
  }
  for (const std::string& feature : features_) {
    const auto found = std::find(names.begin(), names.end(), feature);
    if (found == names.end()) {
      fail_at_header("the header has no column " + feature + "; it has: ", names);
    }
    if (std::find(found + 1, names.end(), feature) != names.end()) {
      throw InputError(csv_.place() + "the header has the column " + feature + " twice");
    }
    columns_.push_back(static_cast<std::size_t>(found - names.begin()));
  }
}

bool RowReader::next(Row& row) {
  if (!has_first_row_ && !csv_.next(cells_)) {
    return false;
  }
  has_first_row_ = false;
  parse(row);
  return true;
}

void RowReader::parse(Row& row) const {
  row.features.clear();
  row.error.clear();
  if (cells_.size() != column_count_) {
    row.error = csv_.place() + "has " + std::to_string(cells_.size()) + " cells, not " + std::to_string(column_count_);
    return;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string& cell = cells_[columns_[i]];
    const std::optional<float> value = parse_float(cell);
    if (!value || !std::isfinite(*value)) {
      const std::string fact = trimmed(cell).empty() ? "is empty"
                               : value               ? "not finite as float32: " + pickle::quoted(cell)
                                                     : "not a number: " + pickle::quoted(cell);
      row.error = csv_.place() + features_[i] + ": " + fact;
      return;
    }
    row.features.push_back(*value);
  }
}

}  // namespace iris
