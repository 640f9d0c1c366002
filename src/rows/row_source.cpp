#include "rows/row_source.h"

#include <algorithm>
#include <utility>

#include "error.h"

namespace iris {
namespace {

constexpr std::size_t kMostUnreadable = 4 << 20;  // bytes before the first record that can be read

bool is_blank(std::string_view text) { return text.find_first_not_of("\r\n") == std::string_view::npos; }

std::size_t lines_of(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// The begin of the chunk as a chunk of its own.
Chunk begin_of(const Chunk& chunk, std::size_t size) {
  Chunk begin;
  begin.buffer = std::make_unique_for_overwrite<char[]>(size);
  begin.capacity = size;
  std::copy_n(chunk.text.data(), size, begin.buffer.get());
  begin.text = {begin.buffer.get(), size};
  begin.first_line = chunk.first_line;
  begin.line_count = lines_of(begin.text);
  begin.fault = chunk.fault;
  return begin;
}

// Of the text's first lines.
std::size_t size_of_lines(std::string_view text, std::size_t lines) {
  std::size_t size = 0;
  for (; lines > 0; --lines) {
    size = text.find('\n', size) + 1;
  }
  return size;
}

// The memory is doubled, so that a chunk may grow from many small ones.
void append(Chunk& chunk, const Chunk& next) {
  const std::size_t size = chunk.text.size() + next.text.size();
  if (chunk.capacity < size || chunk.text.data() != chunk.buffer.get()) {
    auto buffer = std::make_unique_for_overwrite<char[]>(2 * size);
    std::copy(chunk.text.begin(), chunk.text.end(), buffer.get());
    chunk.buffer = std::move(buffer);
    chunk.capacity = 2 * size;
  }
  std::copy(next.text.begin(), next.text.end(), chunk.buffer.get() + chunk.text.size());
  chunk.text = {chunk.buffer.get(), size};
  chunk.line_count += next.line_count;
}

void remove_begin(Chunk& chunk, std::size_t size) {
  const std::size_t lines = lines_of(chunk.text.substr(0, size));
  chunk.first_line += lines;
  chunk.line_count -= lines;
  chunk.text.remove_prefix(size);
}

}  // namespace

RowSource::RowSource(const std::string& path, RowFormat format, const RowRequest& request) : reader_(path, format) {
  start(format, request);
  if (request.copy) {  // the names of the copied columns have to be known
    Chunk chunk;
    if (take_after_header(chunk, {})) {
      after_header_.push_front(std::move(chunk));
    }
  }
}

// Takes chunks up to the one that tells the columns.
void RowSource::start(RowFormat format, const RowRequest& request) {
  std::optional<Unreadable> unreadable;
  std::size_t unreadable_size = 0;
  for (Chunk chunk; reader_.next(chunk); chunk = {}) {
    if (is_blank(chunk.text)) {
      continue;
    }
    if (format == RowFormat::kNdjson) {
      parser_ = make_ndjson_parser(reader_.name(), request, chunk);
      after_header_.push_front(std::move(chunk));
      return;
    }
    CsvStart start = start_csv(reader_.name(), request, chunk, unreadable);
    if (start.parser != nullptr) {
      parser_ = std::move(start.parser);
      if (!is_blank(chunk.text.substr(0, start.header_begin))) {
        before_header_.push_back(begin_of(chunk, start.header_begin));
      }
      remove_begin(chunk, start.header_end);
      if (!is_blank(chunk.text)) {
        after_header_.push_front(std::move(chunk));
      }
      return;
    }
    unreadable_size += chunk.text.size();
    before_header_.push_back(std::move(chunk));
    if (unreadable_size > kMostUnreadable) {
      throw InputError(unreadable->error + "; nor can any other of the first rows be read");
    }
  }
  parser_ = format == RowFormat::kNdjson ? make_ndjson_parser(reader_.name(), request, {})
                                         : start_csv(reader_.name(), request, {}, unreadable).parser;
}

// The next chunk that is not blank. Before the first one is given, the parser has seen it.
bool RowSource::take_chunk(Chunk& chunk, const std::stop_token& stop) {
  if (!after_header_.empty()) {
    chunk = std::move(after_header_.front());
    after_header_.pop_front();
  } else {
    do {
      if (!reader_.next(chunk, stop)) {
        return false;
      }
    } while (is_blank(chunk.text));
  }
  if (!std::exchange(is_settled_, true)) {
    parser_->settle(chunk);
  }
  return true;
}

bool RowSource::take_after_header(Chunk& chunk, const std::stop_token& stop) {
  if (!take_chunk(chunk, stop)) {
    return false;
  }
  if (group_ > 1) {
    complete_groups(chunk, stop);
  }
  return true;
}

// Lengthens the chunk until it holds a whole group of good rows. Keeps the rows after the last whole group for later.
void RowSource::complete_groups(Chunk& chunk, const std::stop_token& stop) {
  Rows rows;
  std::size_t good = 0;
  for (std::size_t lines = group_; good < group_; lines = chunk.line_count + group_ - good) {
    while (chunk.line_count < lines) {
      Chunk next;
      if (!take_chunk(next, stop)) {
        return;  // the end: the last group may lack rows
      }
      if (next.fault != chunk.fault) {
        after_header_.push_front(std::move(next));
        return;
      }
      append(chunk, next);
    }
    parser_->parse(chunk, rows);
    good = rows.count - rows.bad.size();
  }
  std::size_t row = 0;
  auto bad = rows.bad.begin();
  for (std::size_t left = good / group_ * group_; left > 0; ++row) {
    if (bad != rows.bad.end() && bad->number == row) {
      ++bad;
    } else {
      --left;
    }
  }
  if (row == rows.count) {
    return;
  }
  const std::size_t size = size_of_lines(chunk.text, parser_->lines(chunk)[row] - chunk.first_line);
  Chunk groups = begin_of(chunk, size);
  remove_begin(chunk, size);
  after_header_.push_front(std::move(chunk));
  chunk = std::move(groups);
}

Rows RowSource::first_rows() {
  Rows rows;
  Chunk chunk;
  if (take_after_header(chunk, {})) {
    parser_->parse(chunk, rows);
    after_header_.push_front(std::move(chunk));
  }
  return rows;
}

bool RowSource::take(Part& part, const std::stop_token& stop) {
  if (!before_header_.empty()) {
    part.chunk = std::move(before_header_.front());
    before_header_.pop_front();
    return true;
  }
  return take_after_header(part.chunk, stop);
}

std::vector<std::string> RowSource::places(const Part& part) const {
  std::vector<std::string> places;
  for (const std::size_t line : parser_->lines(part.chunk)) {
    places.push_back(reader_.name() + ":" + std::to_string(line) + ": ");
  }
  return places;
}

}  // namespace iris
