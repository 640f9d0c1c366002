// Records of a CSV file (RFC 4180), one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace iris {

// Lines end with LF or CRLF; a cell in double quotes may hold commas, newlines and doubled quotes; a byte-order mark at
// the start and blank lines are passed over. Memory is bounded by the longest record, at most kMaxRecord.
class CsvReader {
 public:
  static constexpr std::size_t kMaxRecord = 16 << 20;

  // "-" is standard input. Throws InputError("PATH: …").
  explicit CsvReader(const std::string& path);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // The next record's cells, unquoted, in `cells`; false at the end. Throws InputError("PATH:LINE: …") where the
  // quoting is wrong, Interrupted when a signal was noted.
  bool next(std::vector<std::string>& cells);

  // The line on which the last record began, from 1.
  std::size_t line() const { return record_line_; }
  // "PATH:LINE: ", of the last record.
  std::string place() const;

  // Whether next() can go on without waiting for a slow producer.
  bool is_ready() const;

 private:
  int peek();  // the next byte, or -1 at the end
  bool fill();

  std::string path_;
  int descriptor_;
  std::vector<char> buffer_;
  std::size_t position_ = 0;
  std::size_t end_ = 0;
  std::size_t line_ = 1;
  std::size_t record_line_ = 1;
  bool at_end_ = false;
};

}  // namespace iris
