// The rows of a CSV file with the class that each belongs to: what is trained on and evaluated with.
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

// The file has a header, which names the features and the label column in any order; other columns and blank lines are
// passed over. RFC 4180, LF or CRLF, with or without a byte-order mark. A number is rounded to double precision and
// then to float32, as Python's float() and torch.tensor() do it.
class LabelledCsv {
 public:
  struct Columns {
    std::vector<std::string> features;  // in the model's order; empty: all columns but the label's, in the file's order
    std::string label;
  };

  // "-" is standard input. Throws InputError("PATH:LINE: …"), as next() does: no such file, a column that is missing or
  // there twice, …
  LabelledCsv(const std::string& path, Columns columns);

  // Replaces what is in `rows` by some of the next rows, in order; false at the end of the file. labels: the classes'
  // names, in order. Throws at the first bad row: not a finite float32, an unknown label, another count of cells, bad
  // quotes.
  bool next(const std::vector<std::string>& labels, LabelledRows& rows);

  // As many as each row has.
  std::size_t feature_count() const { return columns_.features.size(); }

  // How far reading is, for a progress bar.
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
