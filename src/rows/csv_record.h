// A record of a CSV file (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iris {

constexpr std::string_view kQuoteIsOpen = "a quote is not closed";

// Takes the first record off `text`, which must end with a newline, and puts its unquoted cells into `cells`. A cell in
// double quotes may hold commas, newlines and doubled quotes. LF or CRLF ends a record. Returns what is wrong with the
// quoting, or "".
std::string_view take_csv_record(std::string_view& text, std::vector<std::string>& cells);

// The text as one cell, quoted if it holds a comma, a quote or a line break.
std::string csv_cell(std::string_view text);

}  // namespace iris
