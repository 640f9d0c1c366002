// Rows of features from chunks of text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "rows/chunk_reader.h"
#include "rows/label_reader.h"
#include "rows/row_request.h"

namespace iris {

struct BadRow {
  std::size_t number;  // among all of the chunk's rows, from 0
  std::string error;   // "flowers.csv:17: petal_width: not a number: "abc""
  Choice choice = {};  // what the caller may choose otherwise
};

// The rows of a chunk, in order.
struct Rows {
  std::vector<float> features;       // [good rows, features], row-major
  std::vector<std::int64_t> labels;  // [good rows], class indexes; empty unless requested
  std::size_t count = 0;             // good and bad
  std::vector<BadRow> bad;
  // Whether a label was recognized otherwise than by itself.
  bool has_folded_labels = false;
  bool has_index_labels = false;
  // What is copied of each row, good or bad, in the form of the answers: "7,rose," or "\"id\":7,"; [count] ends in it.
  // Empty unless requested.
  std::string copied;
  std::vector<std::size_t> copied_ends;

  std::string_view copied_of(std::size_t number) const {
    const std::size_t begin = number == 0 ? 0 : copied_ends[number - 1];
    return std::string_view(copied).substr(begin, copied_ends[number] - begin);
  }

  // For the parser, which uses its memory again.
  std::unique_ptr<std::uint32_t[]> scratch;
  std::size_t scratch_size = 0;
};

// Knows the layout of one input. Any number of threads may parse its chunks at once.
class RowParser {
 public:
  virtual ~RowParser() = default;

  // Replaces the contents of `rows`, and uses its memory again.
  virtual void parse(const Chunk& chunk, Rows& rows) const = 0;

  // The line on which each of the chunk's rows begins, good or bad. Takes as long as parsing them.
  virtual std::vector<std::size_t> lines(const Chunk& chunk) const = 0;

  // Called with the first chunk after the header that holds a row, before any other call: its first row may show that
  // the first column has no name.
  virtual void settle(const Chunk& /*chunk*/) {}

  // The features of every good row, in order. Empty where the input is empty and the model names no features.
  const std::vector<std::string>& features() const { return features_; }
  // What the copied columns are called, in order; empty for members of JSON objects, all of which are copied.
  const std::vector<std::string>& copied_names() const { return copied_names_; }

  // The classes that labels mean. Call before parse() where a label is requested.
  void set_labels(const std::vector<std::string>& labels) { labels_ = LabelReader(labels, index_names_); }
  const LabelReader& labels() const { return labels_; }

 protected:
  std::vector<std::string> features_;
  std::vector<std::string> copied_names_;
  std::vector<std::string> index_names_;  // what the input says that its class indexes mean
  LabelReader labels_;
};

// How CSV is read say csv_layout.h (what the columns are) and csv_record.h (what a record is).
struct CsvStart {
  std::unique_ptr<RowParser> parser;  // nullptr: no record of the chunk can be read
  // Where the header stands in the chunk's text; both are the same place where there is none.
  std::size_t header_begin = 0;
  std::size_t header_end = 0;
};

// The first record that cannot be read, where it comes before all that can.
struct Unreadable {
  std::string error;
  bool may_be_header;  // as it holds no number
};

// name: the input's, for messages. chunk: the input's first one that is not blank; empty for an input without records
// that can be read. unreadable: of the chunks before; set if this one shows it. Throws InputError("NAME:LINE: …") where
// the columns are not what is requested.
CsvStart start_csv(const std::string& name, const RowRequest& request, const Chunk& chunk,
                   std::optional<Unreadable>& unreadable);

// NDJSON: on each line an object of the features by name, other members ignored, or an array of them in order.
std::unique_ptr<RowParser> make_ndjson_parser(const std::string& name, const RowRequest& request, const Chunk& first);

}  // namespace iris
