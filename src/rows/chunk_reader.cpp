#include "rows/chunk_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "error.h"
#include "io/interrupt.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kChunk = 256 << 10;  // bytes in a chunk, at least, unless the file ends
// How long a pipe's chunk waits for more bytes: after the last piece, and after the first whole row.
constexpr int kGraceMs = 2;
constexpr std::chrono::milliseconds kPatience(20);
constexpr std::string_view kUnreadable = "\"\n";  // stands for a line that is too long

void reserve(Chunk& chunk, std::size_t used, std::size_t capacity) {
  if (capacity <= chunk.capacity) {
    return;
  }
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  std::copy_n(chunk.buffer.get(), used, larger.get());
  chunk.buffer = std::move(larger);
  chunk.capacity = capacity;
}

// std::count adds up in 8-byte counters. With a 1-byte counter the compiler counts sixteen characters at a time.
std::size_t count_newlines(std::string_view text) {
  constexpr std::size_t kBlock = 128;
  std::size_t count = 0;
  for (; text.size() >= kBlock; text.remove_prefix(kBlock)) {
    std::uint8_t in_block = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      in_block = static_cast<std::uint8_t>(in_block + (text[i] == '\n' ? 1 : 0));
    }
    count += in_block;
  }
  return count + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

ChunkReader::ChunkReader(const std::string& path, RowFormat format)
    : name_(text::input_name(path)),
      format_(format),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status = {};
  throw_if_interrupted();  // open() on a named pipe waits for its writer
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    throw InputError(name_ + ": " + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    throw InputError(name_ + ": is a directory");
  }
  if (S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  Chunk head;
  while (filled_ < 3 && fill(head, {})) {
  }
  std::string_view text(head.buffer.get(), filled_);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw InputError(name_ + ": is UTF-16; save it as UTF-8");
  }
  if (text.starts_with("\x1F\x8B")) {
    throw InputError(name_ + ": is compressed with gzip; unpack it first: gunzip -c FILE");
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  rest_ = text;
}

ChunkReader::~ChunkReader() {
  if (descriptor_ > STDIN_FILENO) {
    ::close(descriptor_);
  }
}

bool ChunkReader::is_ready(std::chrono::steady_clock::time_point due) const {
  pollfd poll_one = {descriptor_, POLLIN, 0};
  return size_ || (std::chrono::steady_clock::now() < due && ::poll(&poll_one, 1, kGraceMs) > 0);
}

// Appends to the chunk what one read() gives. False at the end of the file, or when asked to stop.
bool ChunkReader::fill(Chunk& chunk, const std::stop_token& stop) {
  // Not the chunk's capacity: a file's chunks must not depend on what its memory was used for before.
  if (filled_ == wanted_) {
    wanted_ = std::clamp(2 * wanted_, kChunk, kMaxRecord);
  }
  reserve(chunk, filled_, wanted_ + 1);
  while (!at_end_ && !stop.stop_requested()) {
    throw_if_interrupted();
    const ssize_t count = ::read(descriptor_, chunk.buffer.get() + filled_, wanted_ - filled_);
    if (count > 0) {
      filled_ += static_cast<std::size_t>(count);
      position_.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
      return true;
    }
    if (count == 0) {
      at_end_ = true;
    } else if (errno != EINTR) {
      throw InputError(name_ + ": " + std::strerror(errno));
    }
  }
  return false;
}

// Scans text from `from` on and notes where the last whole record ends.
void ChunkReader::scan(std::string_view text, std::size_t from) {
  if (from == text.size()) {
    return;
  }
  const bool is_plain =
      format_ == RowFormat::kNdjson || (state_ <= State::kPlain && text.find('"', from) == std::string_view::npos);
  if (is_plain) {
    const std::size_t newline = text.rfind('\n');
    complete_ = newline == std::string_view::npos || newline < from ? complete_ : newline + 1;
    state_ = text.ends_with(',') || text.ends_with('\n') ? State::kCellStart : State::kPlain;
    return;
  }
  for (std::size_t i = from; i < text.size(); ++i) {
    const char character = text[i];
    if (state_ == State::kQuoted) {
      state_ = character == '"' ? State::kQuoteInQuoted : State::kQuoted;
    } else if (character == '"') {
      state_ = state_ == State::kPlain ? State::kPlain : State::kQuoted;
    } else if (character == '\n') {
      state_ = State::kCellStart;
      complete_ = i + 1;
    } else {
      state_ = character == ',' ? State::kCellStart : State::kPlain;
    }
  }
}

// Ends the chunk at `end`. The next chunk begins with the rest.
void ChunkReader::cut(Chunk& chunk, std::size_t end) {
  const std::string_view all(chunk.buffer.get(), filled_);
  rest_ = all.substr(std::min(end, filled_));
  if (all.substr(0, end).ends_with('\n')) {
    chunk.text = all.substr(0, end);
  } else {
    chunk.buffer[end] = '\n';  // fill() reserves a byte for it
    chunk.text = {chunk.buffer.get(), end + 1};
  }
  chunk.line_count = count_newlines(chunk.text);
  line_ += chunk.line_count;
}

// A chunk of lines from a record that does not end: each line is taken as a record.
void ChunkReader::cut_lines(Chunk& chunk) {
  const std::string_view lines(chunk.buffer.get(), unclosed_);
  std::size_t newline = lines.rfind('\n', kChunk);
  newline = newline == std::string_view::npos ? lines.find('\n') : newline;
  cut(chunk, newline + 1);
  chunk.fault = fault_;
  unclosed_ -= newline + 1;
}

// Of a record that does not end, only the first line is lost: good records may follow it.
bool ChunkReader::cut_faulty(Chunk& chunk, const std::stop_token& stop) {
  const std::string_view text(chunk.buffer.get(), filled_);
  std::size_t newline = text.rfind('\n');
  if (filled_ < kMaxRecord) {
    fault_ = "a quote is not closed before the file ends";
  } else if (newline == std::string_view::npos && text.find('\r') != std::string_view::npos) {
    fault_ = "the row is longer than 16 MiB; do lines end with a carriage return alone?";
  } else {
    fault_ = "the row is longer than 16 MiB; is a quote not closed?";
  }
  if (newline != std::string_view::npos) {
    unclosed_ = newline + 1;
    cut_lines(chunk);
    return true;
  }
  if (filled_ < kMaxRecord) {
    cut(chunk, filled_);
    chunk.fault = fault_;
    return true;
  }
  do {  // skipped bytes need not be kept
    filled_ = 0;
    wanted_ = kChunk;
  } while (fill(chunk, stop) &&
           (newline = std::string_view(chunk.buffer.get(), filled_).find('\n')) == std::string_view::npos);
  cut(chunk, newline == std::string_view::npos ? 0 : newline + 1);
  chunk.text = kUnreadable;
  chunk.fault = fault_;
  return !stop.stop_requested();
}

bool ChunkReader::next(Chunk& chunk, const std::stop_token& stop) {
  chunk.first_line = line_;
  chunk.fault = {};
  wanted_ = rest_.size() + kChunk;
  reserve(chunk, 0, wanted_ + 1);
  std::copy(rest_.begin(), rest_.end(), chunk.buffer.get());
  filled_ = rest_.size();
  complete_ = 0;
  state_ = State::kCellStart;
  if (unclosed_ > 0) {
    cut_lines(chunk);
    return true;
  }
  std::size_t scanned = 0;
  std::optional<std::chrono::steady_clock::time_point> due;
  while (true) {
    scan({chunk.buffer.get(), filled_}, scanned);
    scanned = filled_;
    if (complete_ > 0 && !due) {
      due = std::chrono::steady_clock::now() + kPatience;
    }
    if (complete_ > 0 && (filled_ >= kChunk || !is_ready(*due))) {
      break;
    }
    if (complete_ == 0 && filled_ >= kMaxRecord) {
      return cut_faulty(chunk, stop);
    }
    if (!fill(chunk, stop)) {
      if (stop.stop_requested()) {
        return false;
      }
      if (complete_ == 0 && state_ == State::kQuoted) {
        return cut_faulty(chunk, stop);
      }
      if (filled_ == 0) {
        return false;
      }
      complete_ = state_ == State::kQuoted ? complete_ : filled_;
      break;
    }
  }
  cut(chunk, complete_);
  return true;
}

}  // namespace iris
