// The records of a text file, many at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "rows/row_format.h"

namespace iris {

// Give it to next() again and its memory is used again.
struct Chunk {
  std::string_view text;       // whole records; the last one ends with a newline too
  std::size_t first_line = 1;  // its number in the file
  std::size_t line_count = 0;
  // Empty, or: these lines are of a record that does not end. Then each line is a record of its own, and this is what
  // is wrong with a line that ends inside a quote: "a quote is not closed before the file ends". A line over kMaxRecord
  // is replaced by a single quote character.
  std::string_view fault;

  std::unique_ptr<char[]> buffer;
  std::size_t capacity = 0;
};

// A record ends with a newline: in CSV as CsvRecords has it (csv_record.h). A file gives the same chunks whenever it is
// read. A pipe's chunk is the whole records that have arrived.
class ChunkReader {
 public:
  static constexpr std::size_t kMaxRecord = 16 << 20;

  // "-" is standard input. Skips a byte-order mark. Throws InputError("PATH: …"): no such file, UTF-16, gzip, …
  ChunkReader(const std::string& path, RowFormat format);
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  // False at the end of the file, or soon after being asked to stop. One thread at a time. Throws InputError("PATH:
  // …"); Interrupted when a signal was noted.
  bool next(Chunk& chunk, const std::stop_token& stop = {});

  // For messages: the path, or "stdin".
  const std::string& name() const { return name_; }
  // Bytes read so far, and the file's size; a pipe has none. Any thread may ask.
  std::uint64_t position() const { return position_.load(std::memory_order_relaxed); }
  std::optional<std::uint64_t> size() const { return size_; }

 private:
  void check_kind();
  bool can_read_at_once() const;
  bool wait(const std::stop_token& stop) const;
  bool fill(Chunk& chunk, const std::stop_token& stop);
  std::size_t end_of_records(std::string_view text);
  bool is_open(std::string_view text) const;
  void cut(Chunk& chunk, std::size_t end);
  bool cut_faulty(Chunk& chunk, const std::stop_token& stop);
  void cut_lines(Chunk& chunk);

  std::string name_;
  RowFormat format_;
  int descriptor_;
  std::optional<std::uint64_t> size_;
  std::atomic<std::uint64_t> position_ = 0;
  bool at_end_ = false;
  std::size_t line_ = 1;
  std::string rest_;  // read, but after the end of the last chunk
  // This many bytes of the rest are lines of a record that did not end. A record that begins with one of these lines
  // and is open at the line's end does not end either.
  std::size_t unclosed_ = 0;
  std::string_view fault_;  // of those lines
  // Of the chunk that is being read:
  std::size_t wanted_ = 0;
  std::size_t filled_ = 0;
  std::vector<std::uint32_t> ends_;  // for CsvKernel
};

}  // namespace iris
