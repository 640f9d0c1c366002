#include "rows/csv_layout.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "error.h"
#include "rows/column_names.h"
#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

using Names = std::vector<std::string>;

constexpr std::array kOtherLabelColumns = {"class", "variety", "target", "label", "name"};

bool is_number(const std::string& cell) { return parse_float(cell).has_value(); }

bool is_whole_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string::npos;
}

bool is_name(const std::string& cell) { return !cell.empty() && !is_number(cell); }

Names numbers_from(std::size_t first, std::size_t count) {
  Names names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(std::to_string(first + i));
  }
  return names;
}

Names numbered_features(std::size_t count) {
  Names names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("x" + std::to_string(i));
  }
  return names;
}

// Features are the columns from `first` on, in order.
void take_in_order(CsvLayout& layout, const RowRequest& request, std::size_t first, std::size_t count) {
  layout.features = request.features.empty() ? numbered_features(count) : request.features;
  layout.feature_places.resize(count);
  std::iota(layout.feature_places.begin(), layout.feature_places.end(), first);
}

bool has_all(const Names& names, const Names& features) {
  return !features.empty() && std::all_of(features.begin(), features.end(), [&](const std::string& feature) {
    return std::find(names.begin(), names.end(), feature) != names.end();
  });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
  });
  return text;
}

// The label's column by its name, told where it is another.
std::size_t find_label(const Header& header, const std::string& wanted, CsvLayout& layout) {
  std::optional<std::size_t> place = find_column(header, wanted);
  if (!place && wanted == kUsualLabelColumn) {
    Names found;
    for (std::size_t i = 0; i < header.names.size(); ++i) {
      const std::string name = lower(header.names[i]);
      if (std::find(kOtherLabelColumns.begin(), kOtherLabelColumns.end(), name) != kOtherLabelColumns.end()) {
        found.push_back(header.names[i]);
        place = i;
      }
    }
    if (found.size() > 1) {
      throw InputError(header.place + "several columns could hold the classes: " + text::printable(text::joined(found)),
                       {Choice::Of::kLabelColumn});
    }
  }
  if (!place) {
    throw no_such_column(header, wanted, {Choice::Of::kLabelColumn}, "; choose the one that holds the classes");
  }
  if (header.names[*place] != wanted) {
    layout.notes.push_back(text::printable(header.names[*place]) + " is taken for the label column");
  }
  return *place;
}

// How many cells read 0, 1, … from the one at `first` on.
std::size_t count_from_zero(const Names& names, std::size_t first) {
  std::size_t count = 0;
  while (first + count < names.size() && names[first + count] == std::to_string(count)) {
    ++count;
  }
  return count;
}

// The header of a data frame without names.
bool take_frame(const Header& header, const RowRequest& request, CsvLayout& layout) {
  const Names& names = header.names;
  const std::size_t first = names[0].empty() ? 1 : 0;
  const std::size_t numbered = count_from_zero(names, first);
  const bool ends_there = first + numbered == names.size();
  std::size_t count = request.features.size();
  if (count == 0) {
    count = numbered - (request.label_column && ends_there && numbered > 0 ? 1 : 0);
  }
  const bool has_label = numbered == count + 1;
  const bool are_names =
      std::all_of(names.begin() + static_cast<std::ptrdiff_t>(first + numbered), names.end(), is_name);
  if (count == 0 || (numbered != count && !has_label) || !are_names || (request.features.empty() && numbered < 2)) {
    return false;
  }
  take_in_order(layout, request, first, count);
  layout.has_header = true;
  layout.columns = names;
  layout.notes.push_back("the header " + text::printable(text::joined(names)) +
                         " does not name the features; the columns are taken in the model's order");
  if (request.label_column) {
    layout.label_place = *request.label_column == kUsualLabelColumn && has_label && ends_there
                             ? first + count
                             : find_label(header, *request.label_column, layout);
  }
  return true;
}

// scikit-learn's header: how many rows, how many features, and the classes.
bool take_counts(const Header& header, const RowRequest& request, CsvLayout& layout) {
  const Names& names = header.names;
  const std::size_t count = request.features.size();
  if (names.size() < 4 || !is_whole_number(names[0]) ||
      (count > 0 ? names[1] != std::to_string(count) : !is_whole_number(names[1]) || names[1].size() > 6) ||
      !std::all_of(names.begin() + 2, names.end(), is_name)) {
    return false;
  }
  const std::size_t features = count > 0 ? count : std::stoul(names[1]);
  if (features == 0) {
    return false;
  }
  take_in_order(layout, request, 0, features);
  layout.has_header = true;
  layout.columns = numbers_from(1, features + 1);
  layout.index_names.assign(names.begin() + 2, names.end());
  layout.notes.push_back("the header gives the numbers of rows and features, and the classes (" +
                         text::printable(text::joined(layout.index_names)) +
                         "); the columns are taken for the features in the model's order, then the class index");
  if (request.label_column) {
    layout.label_place = features;
  }
  return true;
}

void take_without_header(const Header& header, const RowRequest& request, CsvLayout& layout) {
  const Names& cells = header.names;
  const bool ends_with_name = cells.size() > 1 && is_name(cells.back());
  std::size_t count = request.features.size();
  if (count == 0) {
    count = cells.size() - (ends_with_name || (request.label_column && cells.size() > 1) ? 1 : 0);
  }
  const bool has_label = cells.size() == count + 1 && (ends_with_name || request.label_column);
  take_in_order(layout, request, 0, count);
  layout.columns = numbers_from(1, has_label ? count + 1 : count);
  if (request.label_column) {
    const std::string& typed = *request.label_column;
    const auto numbered = std::find(layout.columns.begin(), layout.columns.end(), typed);
    if (!has_label || (typed != kUsualLabelColumn && numbered != layout.columns.end() - 1)) {
      throw InputError(header.place + "the first row holds a number, so it is not a header, and has " +
                       std::to_string(cells.size()) + (cells.size() == 1 ? " cell" : " cells") +
                       "; without a header a row is its " + std::to_string(count) + " features and the label");
    }
    layout.label_place = count;
  }
  if (has_label) {
    layout.notes.push_back(std::string("there is no header; the columns are taken for the features in the model's "
                                       "order, and the last ") +
                           (request.label_column ? "for the label" : "is passed over"));
  }
}

// What separates the cells where commas do not, and the command that mends it. sed changes decimal commas too, which
// the first line may not show.
constexpr const char* kSemicolons = "semicolons, not by commas; change them first: sed 's/,/./g; s/;/,/g' FILE";
constexpr const char* kTabs = "tabs, not by commas; change them first: sed 's/,/./g; s/\\t/,/g' FILE";
constexpr const char* kBars = "|, not by commas; change them first: sed 's/,/./g; s/|/,/g' FILE";
constexpr const char* kBlanks = "blanks, not by commas; change them first: tr -s ' ' ',' < FILE";

// "" where none is known.
std::string other_separator(const Names& cells, std::size_t features) {
  const std::string record = text::joined(cells, ",");
  const std::size_t least = std::max<std::size_t>(features, 2) - 1;
  const auto count = [&](char character) {
    return static_cast<std::size_t>(std::count(record.begin(), record.end(), character));
  };
  return count(';') >= least                   ? kSemicolons
         : count(',') >= least                 ? ""
         : count('\t') >= least                ? kTabs
         : count('|') >= least                 ? kBars
         : count(' ') >= least && features > 1 ? kBlanks
                                               : "";
}

// The same for cells in quotes.
std::string separator_of_quoted(std::string_view line) {
  const auto has = [&](std::string_view text) { return line.find(text) != std::string_view::npos; };
  return has(R"(",")")   ? ""
         : has(R"(";")") ? kSemicolons
         : has("\"\t\"") ? kTabs
         : has(R"("|")") ? kBars
         : has(R"(" ")") ? kBlanks
                         : "";
}

// A carriage return, not in quotes, with more on its line.
bool has_lone_return(std::string_view line) {
  bool is_in_quotes = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    is_in_quotes = is_in_quotes != (line[i] == '"');
    if (line[i] == '\r' && !is_in_quotes) {
      return line.find_first_not_of('\r', i) != std::string_view::npos;
    }
  }
  return false;
}

void check_is_no_json(std::string_view begin, const RowRequest& request, const std::string& place) {
  if (begin.starts_with('{') || begin.starts_with('[')) {
    throw InputError(
        place + "the rows look like JSON, one on each line, not like CSV",
        request.label_column ? Choice() : Choice{Choice::Of::kInputFormat, "ndjson"});  // only CSV has labels
  }
}

// Throws InputError where the first record shows that the file is another kind of file than CSV with commas and
// newlines.
void check_is_csv(const Header& header, const RowRequest& request) {
  const Names& cells = header.names;
  check_is_no_json(cells[0], request, header.place);
  const std::string separator = other_separator(cells, request.features.size());
  if (!separator.empty()) {
    throw InputError(header.place + "the cells are separated by " + separator);
  }
}

void take_header(const Header& header, const RowRequest& request, CsvLayout& layout) {
  const Names& names = header.names;
  layout.has_header = true;
  layout.columns = names;
  if (!request.features.empty()) {
    layout.features = request.features;
    layout.feature_places = find_columns(header, request.features, request.unit, {Choice::Of::kFeatures});
    const std::string taken = taken_for(header, layout.features, layout.feature_places);
    if (!taken.empty()) {
      layout.notes.push_back(taken);
    }
  }
  if (request.label_column) {
    layout.label_place = find_label(header, *request.label_column, layout);
  }
  if (!request.features.empty()) {
    return;
  }
  std::size_t count = 0;
  while (std::find(names.begin(), names.end(), "x" + std::to_string(count)) != names.end()) {
    ++count;
  }
  if (count > 0) {
    layout.features = numbered_features(count);
    layout.feature_places = find_columns(header, layout.features, "", {Choice::Of::kFeatures});
    return;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && i != layout.label_place) {
      layout.features.push_back(names[i]);
      layout.feature_places.push_back(i);
    }
  }
  layout.are_features_guessed = true;
  layout.notes.push_back("the model does not name its features; these columns are taken for them, in this order: " +
                         text::printable(text::joined(layout.features)));
}

}  // namespace

void check_first_line(std::string_view text, bool is_readable, const RowRequest& request, const std::string& place) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (has_lone_return(line)) {
    throw InputError(place +
                     "the lines end with a carriage return alone, as on old Macs; change them first: "
                     "tr '\\r' '\\n' < FILE");
  }
  if (!is_readable) {
    check_is_no_json(line, request, place);
    const std::string separator = separator_of_quoted(line);
    if (!separator.empty()) {
      throw InputError(place + "the cells are separated by " + separator);
    }
  }
}

CsvLayout make_csv_layout(const Names& cells, const RowRequest& request, const std::string& place) {
  Names names;
  for (const std::string& cell : cells) {
    names.emplace_back(text::trimmed(cell));
  }
  const Header header = {names, place};
  CsvLayout layout;
  if (has_all(names, request.features)) {
    take_header(header, request, layout);
  } else if (!take_frame(header, request, layout) && !take_counts(header, request, layout)) {
    const bool holds_number = std::any_of(names.begin(), names.end(), is_number);
    const bool has_enough = names.size() >= std::max<std::size_t>(request.features.size(), 2);
    if (!has_enough || (holds_number && !std::all_of(names.begin(), names.end() - 1, is_number))) {
      check_is_csv(header, request);
    }
    if (holds_number) {
      take_without_header(header, request, layout);
    } else {
      take_header(header, request, layout);
    }
  }
  return layout;
}

CsvLayout csv_layout_without_rows(const RowRequest& request) {
  CsvLayout layout;
  const std::size_t count = request.features.size();
  take_in_order(layout, request, 0, count);
  if (request.copy && request.copy->names != Names{"."}) {
    layout.columns = request.copy->names;
  }
  layout.columns.resize(std::max(layout.columns.size(), count + 1));
  if (request.label_column) {
    layout.label_place = count;
  }
  return layout;
}

void settle_row_names(CsvLayout& layout, std::size_t cell_count) {
  if (!layout.has_header || !layout.index_names.empty() || cell_count != layout.columns.size() + 1) {
    return;
  }
  layout.columns.insert(layout.columns.begin(), "");
  std::for_each(layout.feature_places.begin(), layout.feature_places.end(), [](std::size_t& place) { ++place; });
  if (layout.label_place) {
    ++*layout.label_place;
  }
  layout.notes.push_back(
      "the rows have one cell more than the header; the first column has no name and is passed over");
}

std::vector<std::size_t> copied_places(const CsvLayout& layout, const RowRequest::Copy& copy,
                                       const std::string& place) {
  std::vector<std::size_t> places;
  if (copy.names == Names{"."}) {
    places.resize(layout.columns.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    return places;
  }
  const Header header = {layout.columns, place};
  for (const std::string& name : copy.names) {
    const std::optional<std::size_t> found = find_column(header, name);
    if (!found && layout.has_header && layout.index_names.empty()) {
      throw no_such_column(header, name, {Choice::Of::kCopy});
    }
    if (!found) {
      throw InputError(place + "there is no header, and no column number " + text::printable(name) + "; there are " +
                           std::to_string(layout.columns.size()) + " columns",
                       {Choice::Of::kCopy});
    }
    places.push_back(*found);
  }
  return places;
}

}  // namespace iris
