// The rows of a CSV file, each with its class: the data of training and evaluation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rows/chunk_reader.h"

namespace iris {

struct LabelledRows {
  std::vector<float> features;       // [rows, features], row-major
  std::vector<std::int64_t> labels;  // [rows], each an index of the labels' names
};

// The file has a header, which names the features and the label column in any order. Other columns and blank lines are
// ignored. RFC 4180, LF or CRLF, with or without a byte-order mark. A number is the float32 nearest to its text
// (parse_float), as everywhere.
class LabelledCsv {
 public:
  struct Columns {
    std::vector<std::string> features;  // in the model's order; empty: all columns but the label's, in the file's order
    std::string label;
  };

  // "-" is standard input. Throws InputError("PATH:LINE: …"), as next() does: no such file, a column that is missing or
  // occurs twice, …
  LabelledCsv(const std::string& path, Columns columns);

  // Fills `rows` with some of the next rows, in order. False at the end of the file. labels: the classes' names, in
  // order. Throws at the first bad row: not a finite float32, an unknown label, a wrong number of cells, bad quotes.
  bool next(const std::vector<std::string>& labels, LabelledRows& rows);

  // Features of each row.
  std::size_t feature_count() const { return columns_.features.size(); }

  // For a progress bar.
  const ChunkReader& reader() const { return reader_; }

 private:
  void read_header();
  std::string place() const { return reader_.name() + ":" + std::to_string(line_) + ": "; }
  bool take_record(std::vector<std::string>& cells);
  void add_row(const std::vector<std::string>& cells, const std::vector<std::string>& labels, LabelledRows& rows) const;

  Columns columns_;
  ChunkReader reader_;
  Chunk chunk_;
  std::string_view text_;      // of the chunk, not read yet
  std::size_t line_ = 1;       // on which the record that was taken last begins
  std::size_t next_line_ = 1;  // on which text_ begins
  std::size_t cell_count_ = 0;
  std::vector<std::size_t> feature_cells_;
  std::size_t label_cell_ = 0;
};

// All rows of a file. Throws InputError as LabelledCsv, and where there are none.
LabelledRows read_labelled_csv(const std::string& path, const LabelledCsv::Columns& columns,
                               const std::vector<std::string>& labels);

}  // namespace iris
