// Rows of features from chunks of text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rows/chunk_reader.h"

namespace iris {

struct BadRow {
  std::size_t number;  // among all of the chunk's rows, from 0
  std::string error;   // "flowers.csv:17: petal_width: not a number: "abc""
};

// The rows of a chunk, in order. Its memory may be used again.
struct Rows {
  std::vector<float> features;  // [good rows, features], row-major
  std::size_t count = 0;        // good and bad
  std::vector<BadRow> bad;
};

// As many rows as the chunk's text can hold, each feature taking two bytes at least, and room for one more.
inline std::size_t most_rows(const Chunk& chunk, std::size_t features) {
  return std::min(chunk.line_count, chunk.text.size() / (2 * std::max<std::size_t>(features, 1)) + 1);
}

// Knows how one input is laid out. Any number of threads may parse its chunks at once.
class RowParser {
 public:
  virtual ~RowParser() = default;

  // Replaces what is in `rows`.
  virtual void parse(const Chunk& chunk, Rows& rows) const = 0;

  // The same in tenths, [chunk.line_count, features], a quarter of the memory and several times as quick, where all
  // numbers are written as "5.1" and each line is a row of the features in order. False for any other chunk.
  virtual bool parse_tenths(const Chunk& /*chunk*/, std::vector<std::uint8_t>& /*tenths*/) const { return false; }

  // Where one of the chunk's rows, good or bad, begins: "flowers.csv:17: ". Takes as long as to parse those before it.
  virtual std::string place_of(const Chunk& chunk, std::size_t number) const = 0;

  // Of every good row, in order; none where the input is empty and the model names no features.
  const std::vector<std::string>& features() const { return features_; }

 protected:
  std::vector<std::string> features_;
};

// `name`: the input's, for messages. `features`: the model's names, in its order; empty when it has none: then they are
// x0, x1, …, as many as the first row tells. `first`: the input's first chunk, from which a CSV's header is taken off;
// empty where there is none.
//
// CSV: with a header, columns are found by name, in any order, and others are passed over; without one (the first row
// is all numbers) the columns are the features in order. Blank lines are passed over.
// Throws InputError("NAME:LINE: …") when the header lacks a feature or has it twice.
std::unique_ptr<RowParser> make_csv_parser(const std::string& name, std::vector<std::string> features, Chunk& first);

// NDJSON: an object of the features by name (others are passed over), or an array of them in order, on each line.
std::unique_ptr<RowParser> make_ndjson_parser(const std::string& name, std::vector<std::string> features,
                                              const Chunk& first);

}  // namespace iris
