// The rows of a CSV file, each with its class: the data of training and evaluation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rows/row_source.h"

namespace iris {

struct LabelledRows {
  std::vector<float> features;       // [rows, features], row-major
  std::vector<std::int64_t> labels;  // [rows], each an index of the labels' names
};

// A RowSource that wants labels, and tells how they were taken.
class LabelledSource {
 public:
  // See RowRequest. "-" is standard input. Throws InputError where the file is empty, or has no column but the label's.
  LabelledSource(const std::string& path, const std::vector<std::string>& features, const std::string& unit,
                 const std::string& label_column, const std::function<void(const std::string&)>& tell);

  RowSource& rows() { return rows_; }

  // Takes and parses. False at the end. Throws InputError there if no row was taken. Bad rows are the caller's to
  // refuse.
  bool take(RowSource::Part& part);

 private:
  std::function<void(const std::string&)> tell_;
  RowSource rows_;
  bool has_rows_ = false;
  bool has_told_folded_ = false;
  bool has_told_index_ = false;
};

// All rows. labels: the classes' names, in order. Throws InputError at the first bad row, and where there is none.
LabelledRows read_labelled_rows(LabelledSource& source, const std::vector<std::string>& labels);

}  // namespace iris
