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
#include "rows/csv_kernel.h"
#include "rows/csv_record.h"
#include "rows/other_kinds.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kChunk = 256 << 10;         // bytes in a chunk, at least, unless the file ends
constexpr int kLookMs = 100;                      // how often a thread that waits for a pipe looks whether to stop
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

// To open a named pipe must not block: fill() waits for what is written, and sees signals.
ChunkReader::ChunkReader(const std::string& path, RowFormat format)
    : name_(text::input_name(path)),
      format_(format),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status = {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    throw InputError(name_ + ": " + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    throw InputError(name_ + ": is a directory");
  }
  if (S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  if (descriptor_ != STDIN_FILENO) {
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
  }
  Chunk head;
  const auto is_enough = [&] {
    return filled_ >= kLongestMagic || std::memchr(head.buffer.get(), '\n', filled_) != nullptr;
  };
  while (fill(head, {}) && !is_enough()) {
  }
  std::string_view text(head.buffer.get(), filled_);
  const std::string kind = other_kind(text, format);
  if (!kind.empty()) {
    throw InputError(name_ + ": " + kind);
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

bool ChunkReader::can_read_at_once() const {
  pollfd poll_one = {descriptor_, POLLIN, 0};
  return size_ || ::poll(&poll_one, 1, 0) > 0;
}

// For what is not a regular file. False when asked to stop.
bool ChunkReader::wait(const std::stop_token& stop) const {
  pollfd poll_one = {descriptor_, POLLIN, 0};
  while (!stop.stop_requested()) {
    throw_if_interrupted();
    if (::poll(&poll_one, 1, kLookMs) > 0) {
      return true;
    }
  }
  return false;
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
    if (!size_ && !wait(stop)) {
      return false;
    }
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

// Where the last whole record ends; 0: there is none. text: begins with a record.
std::size_t ChunkReader::end_of_records(std::string_view text) {
  if (format_ == RowFormat::kNdjson || text.find('"') == std::string_view::npos) {
    return text.rfind('\n') + 1;  // npos + 1 is 0
  }
  if (text.size() <= 2 * kChunk) {
    ends_.resize(2 * kChunk + 8);
    const CsvKernel::Ends ends = csv_kernel().find_ends(text.data(), text.size(), ends_.data());
    if (ends.is_regular) {
      std::size_t count = ends.count;
      while (count > 0 && text[ends_[count - 1]] != '\n') {
        --count;
      }
      return count == 0 ? 0 : ends_[count - 1] + std::size_t{1};
    }
  }
  CsvRecords records(text);
  while (records.next(nullptr)) {
  }
  return records.position();
}

// Whether the text, a record's begin, ends inside quotes.
bool ChunkReader::is_open(std::string_view text) const {
  CsvScanner scanner;
  std::for_each(text.begin(), text.end(), [&](char character) { scanner.next(character); });
  return format_ == RowFormat::kCsv && scanner.is_in_quotes();
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
  if (unclosed_ > 0) {
    cut_lines(chunk);
    return true;
  }
  std::size_t complete = 0;  // bytes that are whole records
  std::size_t scanned = 0;
  while (true) {
    const std::string_view text(chunk.buffer.get(), filled_);
    if (text.find('\n', scanned) != std::string_view::npos) {
      complete += end_of_records(text.substr(complete));
    }
    scanned = filled_;
    if (complete > 0 && (filled_ >= kChunk || !can_read_at_once())) {
      break;
    }
    if (complete == 0 && filled_ >= kMaxRecord) {
      return cut_faulty(chunk, stop);
    }
    if (!fill(chunk, stop)) {
      if (stop.stop_requested() || filled_ == 0) {
        return false;
      }
      complete += end_of_records({chunk.buffer.get() + complete, filled_ - complete});  // text may end a quote's line
      const bool ends_in_quotes = is_open({chunk.buffer.get() + complete, filled_ - complete});
      if (ends_in_quotes && complete == 0) {
        return cut_faulty(chunk, stop);
      }
      complete = ends_in_quotes ? complete : filled_;
      break;
    }
  }
  cut(chunk, complete);
  return true;
}

}  // namespace iris
