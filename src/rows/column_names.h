// Which of a header's columns a name means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"

namespace iris {

// A header's names, and where it is, for messages: "flowers.csv:1: ".
struct Header {
  const std::vector<std::string>& names;
  std::string place;
};

// The place of the column called `name`: as it is; else without regard to case, blanks, punctuation and the unit at its
// end, where only one column is left. nullopt where there is none. Throws InputError where there are several.
std::optional<std::size_t> find_column(const Header& header, const std::string& name, const std::string& unit = "");

// The same for each of the names; each has a column of its own. Throws InputError("PLACE…") with the choice where one
// has no column.
std::vector<std::size_t> find_columns(const Header& header, const std::vector<std::string>& names,
                                      const std::string& unit, const Choice& choice);

// "the header has no column specie (did you mean species?); it has: id, species", for a name that somebody typed.
InputError no_such_column(const Header& header, const std::string& name, const Choice& choice,
                          const std::string& way_out = "");

// Which columns were taken for what, where their names differ: "SepalLengthCm is taken for sepal_length, …"; "" where
// none does.
std::string taken_for(const Header& header, const std::vector<std::string>& names,
                      const std::vector<std::size_t>& places);

}  // namespace iris
