// An input's rows in parts, which many threads parse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "rows/rows.h"

namespace iris {

class RowSource {
 public:
  // One chunk's rows. Give it to take() again and its memory is used again.
  struct Part {
    Rows rows;    // after parse()
    Chunk chunk;  // without its text if it was parsed ahead and every row is good and on a line of its own
    std::vector<std::uint8_t> tenths;                                 // see RowParser::parse_tenths
    enum class State { kText, kTenths, kRows } state = State::kText;  // which of them it holds
  };

  // path, features: see ChunkReader and make_csv_parser, which also say what is thrown. skips_unreadable: lines before
  // the first row that cannot be read are bad rows, not an error.
  RowSource(const std::string& path, RowFormat format, const std::vector<std::string>& features, bool skips_unreadable);

  // See RowParser.
  const std::vector<std::string>& features() const { return parser_->features(); }

  // The rows of the first chunk. Call before the first take().
  Rows first_rows() const;

  // Starts a thread that parses what follows the first chunk, until end_ahead() or until it keeps max_size bytes of
  // rows. Call once, before the first take(). Throws std::system_error where no thread can be started.
  void start_ahead(std::size_t max_size);
  // Any thread, at any time. The part that is being parsed is finished.
  void end_ahead() { ahead_.request_stop(); }

  // False at the end, or when asked to stop. Exceptions are ChunkReader::next's, in the order of the parts. One thread
  // at a time.
  bool take(Part& part, const std::stop_token& stop);
  // Any number of threads at once.
  void parse(Part& part) const;

  // Where a row of a parsed part begins; see RowParser.
  std::string place_of(const Part& part, std::size_t number) const;

  // See ChunkReader. Any thread may ask.
  std::uint64_t position() const { return reader_.position(); }
  std::optional<std::uint64_t> size() const { return reader_.size(); }

 private:
  std::unique_ptr<RowParser> make_parser(RowFormat format, const std::vector<std::string>& features,
                                         bool skips_unreadable);
  Part::State parse(const Chunk& chunk, std::vector<std::uint8_t>& tenths, Rows& rows) const;
  Part parsed_ahead(Part& part) const;
  void parse_ahead(std::size_t max_size, const std::stop_token& stop);
  bool take_from_ahead(Part& part);

  ChunkReader reader_;
  std::deque<Chunk> unreadable_;
  Chunk first_;
  bool has_first_ = false;
  std::unique_ptr<RowParser> parser_;
  std::mutex mutex_;                // guards the next member while the thread runs
  std::deque<Part> parts_ahead_;    // in order
  std::exception_ptr error_ahead_;  // after those parts
  std::jthread ahead_;              // last: the thread uses the other members
};

}  // namespace iris
