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

// The rows of a chunk, in order.
struct Rows {
  std::vector<float> features;  // [good rows, features], row-major
  std::size_t count = 0;        // good and bad
  std::vector<BadRow> bad;
};

// The most rows that the chunk's text can hold, and room for one more: a feature takes two bytes at least.
inline std::size_t most_rows(const Chunk& chunk, std::size_t features) {
  return std::min(chunk.line_count, chunk.text.size() / (2 * std::max<std::size_t>(features, 1)) + 1);
}

// Knows the layout of one input. Any number of threads may parse its chunks at once.
class RowParser {
 public:
  virtual ~RowParser() = default;

  // Replaces the contents of `rows`, and uses its memory again.
  virtual void parse(const Chunk& chunk, Rows& rows) const = 0;

  // The same in tenths, [chunk.line_count, features]: several times as quick, in a quarter of the memory. False unless
  // every number is written like "5.1" and every line is a row of the features in order.
  virtual bool parse_tenths(const Chunk& /*chunk*/, std::vector<std::uint8_t>& /*tenths*/) const { return false; }

  // Where the chunk's row of that number, good or bad, begins: "flowers.csv:17: ". Takes as long as parsing the rows
  // before it.
  virtual std::string place_of(const Chunk& chunk, std::size_t number) const = 0;

  // The features of every good row, in order. Empty where the input is empty and the model names no features.
  const std::vector<std::string>& features() const { return features_; }

 protected:
  std::vector<std::string> features_;
};

// name: the input's, for messages. features: the model's names, in its order; empty if it names none: then they are x0,
// x1, …, as many as the first row has. first: the input's first chunk, from which a CSV's header is taken off; empty
// for an empty input.
//
// CSV: with a header, columns are found by name, in any order, and others are ignored. Without one (the first row is
// all numbers) the columns are the features in order. Blank lines are skipped. Throws InputError("NAME:LINE: …") where
// the header lacks a feature or has it twice.
std::unique_ptr<RowParser> make_csv_parser(const std::string& name, std::vector<std::string> features, Chunk& first);

// NDJSON: on each line an object of the features by name, other members ignored, or an array of them in order.
std::unique_ptr<RowParser> make_ndjson_parser(const std::string& name, std::vector<std::string> features,
                                              const Chunk& first);

}  // namespace iris
