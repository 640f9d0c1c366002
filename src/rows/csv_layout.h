// What the columns of a CSV file are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rows/row_request.h"

namespace iris {

struct CsvLayout {
  bool has_header = false;
  std::vector<std::string> columns;         // all names, in order; without a header "1", "2", …
  std::vector<std::string> features;        // the request's; x0, x1, … or the header's where the model names none
  std::vector<std::size_t> feature_places;  // of the features among the columns
  std::optional<std::size_t> label_place;   // set if a label is requested
  std::vector<std::string> index_names;     // what the header says that class indexes mean; mostly empty
  bool are_features_guessed = false;        // taken from a header, as the model names none
  std::vector<std::string> notes;           // what the user should know
};

// text: the input from its first record on. Throws InputError("PLACE…") where that record's first line shows that the
// file is another kind than CSV with commas and newlines. is_readable: whether the record can be read as CSV.
void check_first_line(std::string_view text, bool is_readable, const RowRequest& request, const std::string& place);

// By the first record that can be read. The first of these that holds:
// - All features' names are there: a header.
// - The cells are 0, 1, … n-1 for n features (with an empty one before, and n or names after): the header of a data
//   frame without names. The features are its columns in order.
// - A whole number, n, and two names at least: scikit-learn's header. Features in order, then the class index.
// - A cell is a number: there is no header. The columns are the features in order, and a label if the last is not a
//   number or a label is requested.
// - A header. Names are found as find_column says (column_names.h); the label as RowRequest::label_column says, or
//   by another usual name.
// place: "flowers.csv:1: ". Throws InputError("PLACE…") where a feature or the label has no column.
CsvLayout make_csv_layout(const std::vector<std::string>& cells, const RowRequest& request, const std::string& place);

// For an input of which no record can be read.
CsvLayout csv_layout_without_rows(const RowRequest& request);

// For a first row of so many cells: where that is one more than the header's, the first column has no name (R's row
// names).
void settle_row_names(CsvLayout& layout, std::size_t cell_count);

// The places of the columns to copy. Throws InputError("PLACE…").
std::vector<std::size_t> copied_places(const CsvLayout& layout, const RowRequest::Copy& copy, const std::string& place);

}  // namespace iris
