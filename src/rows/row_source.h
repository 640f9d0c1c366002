// An input's rows in parts, which many threads parse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "rows/rows.h"

namespace iris {

class RowSource {
 public:
  // One chunk's rows. Give it to take() again and its memory is used again.
  struct Part {
    Rows rows;  // after parse()
    Chunk chunk;
  };

  // Reads as far as it takes to know the columns. path: "-" is standard input. Throws InputError("PATH: …"), as take()
  // does: see ChunkReader and rows.h.
  RowSource(const std::string& path, RowFormat format, const RowRequest& request);

  // See RowParser.
  const std::vector<std::string>& features() const { return parser_->features(); }
  const std::vector<std::string>& copied_names() const { return parser_->copied_names(); }
  const LabelReader& labels() const { return parser_->labels(); }
  void set_labels(const std::vector<std::string>& labels) { parser_->set_labels(labels); }

  // From now on every part but the last has a multiple of so many good rows, however the input comes. Reads each part
  // twice. Call before first_rows() and take().
  void set_group(std::size_t rows) { group_ = rows; }

  // The rows of the first part that holds any, without labels. Call before the first take().
  Rows first_rows();

  // False at the end, or when asked to stop. One thread at a time.
  bool take(Part& part, const std::stop_token& stop = {});
  // Any number of threads at once.
  void parse(Part& part) const { parser_->parse(part.chunk, part.rows); }

  // The place of each of the part's rows, good or bad: "flowers.csv:17: ". Takes as long as parse().
  std::vector<std::string> places(const Part& part) const;

  // For messages: the path, or "stdin".
  const std::string& name() const { return reader_.name(); }
  // See ChunkReader. Any thread may ask.
  std::uint64_t position() const { return reader_.position(); }
  std::optional<std::uint64_t> size() const { return reader_.size(); }

 private:
  void start(RowFormat format, const RowRequest& request);
  bool take_chunk(Chunk& chunk, const std::stop_token& stop);
  bool take_after_header(Chunk& chunk, const std::stop_token& stop);
  void complete_groups(Chunk& chunk, const std::stop_token& stop);

  ChunkReader reader_;
  std::unique_ptr<RowParser> parser_;
  std::deque<Chunk> before_header_;  // what cannot be read
  std::deque<Chunk> after_header_;   // read, and not given yet
  bool is_settled_ = false;
  std::size_t group_ = 1;
};

}  // namespace iris
