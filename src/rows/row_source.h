// The rows of an input, a part at a time, for many threads to parse.
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

enum class RowFormat { kCsv, kNdjson };

class RowSource {
 public:
  // One chunk's rows. Its memory is used again by the take() that it is given to.
  struct Part {
    Rows rows;    // once parse() was called
    Chunk chunk;  // without its text where each row is good and on a line of its own, and was parsed ahead
    std::vector<std::uint8_t> tenths;                                 // see RowParser::parse_tenths
    enum class State { kText, kTenths, kRows } state = State::kText;  // what it holds
  };

  // path, features: as ChunkReader and make_csv_parser take them, and throw. Lines that cannot be read before the first
  // chunk that has a row in it, which tells how the input is laid out, are bad rows if skips_unreadable.
  RowSource(const std::string& path, RowFormat format, const std::vector<std::string>& features, bool skips_unreadable);

  // Of every good row, in order; see RowParser.
  const std::vector<std::string>& features() const { return parser_->features(); }

  // Those of the first chunk, before any was taken.
  Rows first_rows() const;

  // Parses on a thread of its own what comes behind the first chunk, until end_ahead() or max_size bytes of rows are
  // kept. Call once, before any take(). Throws std::system_error where no thread is to be had.
  void start_ahead(std::size_t max_size);
  // Any thread may, at any time; what it is at it ends.
  void end_ahead() { ahead_.request_stop(); }

  // False at the end, or when asked to stop; see ChunkReader::next, whose exceptions come in the order of the parts.
  // One thread at a time.
  bool take(Part& part, const std::stop_token& stop);
  // Any number of threads at once.
  void parse(Part& part) const;

  // Where one of a parsed part's rows begins; see RowParser.
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
  std::mutex mutex_;                // of the next two, while the thread runs
  std::deque<Part> parts_ahead_;    // in order
  std::exception_ptr error_ahead_;  // behind them
  std::jthread ahead_;              // last: it uses the others
};

}  // namespace iris
