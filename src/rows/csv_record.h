// A record of a CSV file (RFC 4180).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"

namespace iris {

constexpr std::string_view kQuoteIsOpen = "a quote is not closed";

// Takes the first record off `text`, which must end with a newline, and puts its unquoted cells into `cells`. A cell in
// double quotes may hold commas, newlines and doubled quotes. LF or CRLF ends a record. Returns what is wrong with the
// quoting, or "".
std::string_view take_csv_record(std::string_view& text, std::vector<std::string>& cells);

// The place among a header's names of the column of that name. Throws InputError("PLACE…"), which ends with `way_out`,
// where there is none, or where it occurs twice.
std::size_t column_of(const std::string& name, const std::vector<std::string>& names, const std::string& place,
                      const std::string& way_out = "", const Choice& choice = {});

// Throws InputError("PLACE…") where the header's names show that the file is not a CSV file with commas and newlines.
void check_separators(const std::vector<std::string>& names, const std::string& place);

// Reads a feature's cell into `value` (parse_float). Returns "", or what is wrong: "petal_width: not a number: "abc"".
std::string read_cell(const std::string& cell, const std::string& feature, float& value);

// The text as one cell, quoted if it holds a comma, a quote or a line break.
std::string csv_cell(std::string_view text);

}  // namespace iris
