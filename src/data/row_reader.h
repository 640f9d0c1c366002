// Rows of features from a CSV file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/csv_reader.h"

namespace iris {

// One row, or what is wrong with it.
struct Row {
  std::vector<float> features;
  std::string error;  // "flowers.csv:17: petal_width: not a number: "abc""; empty: there is none
};

// With a header, columns are found by name, in any order, and others are passed over; without one (the first row is
// all numbers) the columns are the features in order.
class RowReader {
 public:
  // `features`: the model's names, in its order; empty when it has none: then a header must say x0, x1, …, and without
  // a header the first row tells how many there are.
  // Throws InputError("PATH:LINE: …") when the header lacks a feature or has it twice.
  RowReader(const std::string& path, std::vector<std::string> features);

  // False at the end. Throws InputError where the file can't be read on, Interrupted when a signal was noted.
  bool next(Row& row);

  // How many features every good row has; 0 for an empty file read for a model that names none.
  std::size_t feature_count() const { return features_.size(); }

  // Whether next() can go on without waiting for a slow producer.
  bool is_ready() const { return has_first_row_ || csv_.is_ready(); }

 private:
  bool is_header_of_numbers() const;
  [[noreturn]] void fail_at_header(const std::string& fact, const std::vector<std::string>& names) const;
  void read_header(const std::vector<std::string>& cells);
  void parse(Row& row) const;

  CsvReader csv_;
  std::vector<std::string> features_;
  std::vector<std::size_t> columns_;  // of each feature
  std::size_t column_count_ = 0;
  std::vector<std::string> cells_;
  bool has_first_row_ = false;  // in cells_, read already to see whether it is a header
};

}  // namespace iris
