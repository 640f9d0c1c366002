// What a verb wants of each row of an input.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rows/row_format.h"

namespace iris {

struct RowRequest {
  // The columns, or members, that are copied to the answers.
  struct Copy {
    // Names; without a header (and in JSON arrays) numbers from 1. "." alone: all.
    std::vector<std::string> names;
    RowFormat to = RowFormat::kCsv;  // what the answers are written in
  };

  std::vector<std::string> features;  // names in the model's order; empty: the model names none
  std::string unit;                   // of all features; a column's name may end with it. "cm", or empty: none is known
  // Set: each row's class is wanted, from the column of this name.
  std::optional<std::string> label_column;
  bool label_is_number = false;  // the value to be predicted, not a class
  std::optional<Copy> copy;
  // Called with what the user should know of how the input is read: "flowers.csv: there is no header; …". By the thread
  // that opens the source or that takes a part; each fact once.
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

// The label column's name where nobody gave one. Where no column is called so, other usual names are tried.
constexpr const char* kUsualLabelColumn = "species";

}  // namespace iris
