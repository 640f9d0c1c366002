#include "data/csv_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "error.h"
#include "io/interrupt.h"

namespace iris {
namespace {

constexpr std::size_t kBufferSize = 256 << 10;

}  // namespace

CsvReader::CsvReader(const std::string& path)
    : path_(path == "-" ? "stdin" : path),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      buffer_(kBufferSize) {
  struct stat status = {};
  throw_if_interrupted();  // opening a named pipe waits for its writer
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    throw InputError(path_ + ": " + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    throw InputError(path_ + ": is a directory");
  }
  while (end_ < 3 && fill()) {
  }
  const std::string_view head(buffer_.data(), end_);
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    throw InputError(path_ + ": is UTF-16; save it as UTF-8");
  }
  if (head.starts_with("\xEF\xBB\xBF")) {
    position_ = 3;
  }
}

CsvReader::~CsvReader() {
  if (descriptor_ > STDIN_FILENO) {
    ::close(descriptor_);
  }
}

std::string CsvReader::place() const { return path_ + ":" + std::to_string(record_line_) + ": "; }

bool CsvReader::is_ready() const {
  if (at_end_ || std::memchr(buffer_.data() + position_, '\n', end_ - position_) != nullptr) {
    return true;
  }
  pollfd poll_one = {descriptor_, POLLIN, 0};
  return ::poll(&poll_one, 1, 0) > 0;
}

// Adds to what is in the buffer; false at the end of the file.
bool CsvReader::fill() {
  if (position_ == end_) {
    position_ = end_ = 0;
  }
  while (!at_end_) {
    throw_if_interrupted();
    const ssize_t count = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (count > 0) {
      end_ += static_cast<std::size_t>(count);
      return true;
    }
    if (count == 0) {
      at_end_ = true;
    } else if (errno != EINTR) {
      throw InputError(path_ + ": " + std::strerror(errno));
    }
  }
  return false;
}

int CsvReader::peek() {
  if (position_ == end_ && !fill()) {
    return -1;
  }
  return static_cast<unsigned char>(buffer_[position_]);
}

bool CsvReader::next(std::vector<std::string>& cells) {
  cells.clear();
  int byte = peek();
  while (byte == '\n' || byte == '\r') {  // blank lines
    line_ += byte == '\n' ? 1 : 0;
    ++position_;
    byte = peek();
  }
  record_line_ = line_;
  if (byte < 0) {
    return false;
  }
  const auto fail = [&](const std::string& fact) { throw InputError(place() + fact); };
  enum { kCellStart, kPlain, kQuoted, kQuoteInQuoted } state = kCellStart;
  std::size_t size = 0;
  cells.emplace_back();
  while (true) {
    byte = peek();
    if (byte >= 0) {
      ++position_;
    }
    if (++size > kMaxRecord) {
      fail("the row is longer than " + std::to_string(kMaxRecord >> 20) + " MiB; is a quote not closed?");
    }
    if (state == kQuoted) {
      if (byte < 0) {
        fail("a quote is not closed before the file ends");
      }
      if (byte == '"') {
        state = kQuoteInQuoted;
        continue;
      }
      line_ += byte == '\n' ? 1 : 0;
      cells.back() += static_cast<char>(byte);
      continue;
    }
    if (byte == '"' && state == kCellStart) {
      state = kQuoted;
      continue;
    }
    if (byte == '"' && state == kQuoteInQuoted) {
      cells.back() += '"';
      state = kQuoted;
      continue;
    }
    if (byte == '\r' && peek() == '\n') {
      continue;
    }
    if (byte == '\n' || byte < 0) {
      line_ += byte == '\n' ? 1 : 0;
      return true;
    }
    if (byte == ',') {
      cells.emplace_back();
      state = kCellStart;
      continue;
    }
    if (state == kQuoteInQuoted) {
      fail("there is text behind a closing quote");
    }
    cells.back() += static_cast<char>(byte);
    state = kPlain;
  }
}

}  // namespace iris
