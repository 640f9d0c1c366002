#include "rows/row_source.h"

#include <utility>

#include "rows/float_text.h"

namespace iris {
namespace {

std::size_t size_of(const RowSource::Part& part) {
  return part.chunk.capacity + part.rows.features.capacity() * sizeof(float) + part.tenths.capacity();
}

}  // namespace

RowSource::RowSource(const std::string& path, RowFormat format, const std::vector<std::string>& features,
                     bool skips_unreadable)
    : reader_(path, format), parser_(make_parser(format, features, skips_unreadable)) {}

// Takes the first chunk that holds a row. Unreadable lines before it are kept as bad rows, if these are skipped.
std::unique_ptr<RowParser> RowSource::make_parser(RowFormat format, const std::vector<std::string>& features,
                                                  bool skips_unreadable) {
  while ((has_first_ = reader_.next(first_))) {
    if (skips_unreadable && !first_.fault.empty() && first_.line_count == 1) {
      Chunk& chunk = unreadable_.emplace_back();  // its text is a constant: see ChunkReader
      chunk.text = first_.text;
      chunk.first_line = first_.first_line;
      chunk.line_count = 1;
      chunk.fault = first_.fault;
    } else if (!first_.fault.empty() || first_.text.find_first_not_of("\r\n") != std::string_view::npos) {
      break;
    }
  }
  if (!has_first_) {
    first_ = {};
  }
  return format == RowFormat::kNdjson ? make_ndjson_parser(reader_.name(), features, first_)
                                      : make_csv_parser(reader_.name(), features, first_);
}

Rows RowSource::first_rows() const {
  Rows rows;
  if (has_first_) {
    parser_->parse(first_, rows);
  }
  return rows;
}

void RowSource::start_ahead(std::size_t max_size) {
  ahead_ = std::jthread([this, max_size](const std::stop_token& stop) { parse_ahead(max_size, stop); });
}

// Fills in `tenths` or `rows`. Returns which.
RowSource::Part::State RowSource::parse(const Chunk& chunk, std::vector<std::uint8_t>& tenths, Rows& rows) const {
  if (parser_->parse_tenths(chunk, tenths)) {
    return Part::State::kTenths;
  }
  parser_->parse(chunk, rows);
  return Part::State::kRows;
}

// The part's rows, to be kept. The text is dropped where every row is good and on a line of its own.
RowSource::Part RowSource::parsed_ahead(Part& part) const {
  Part kept;
  kept.state = parse(part.chunk, part.tenths, part.rows);
  if (kept.state == Part::State::kTenths) {
    kept.tenths = part.tenths;
  } else if (part.rows.bad.empty() && part.rows.count == part.chunk.line_count) {
    kept.rows = part.rows;
  } else {
    std::swap(kept.chunk, part.chunk);
    std::swap(kept.rows, part.rows);
    return kept;
  }
  kept.chunk.first_line = part.chunk.first_line;
  kept.chunk.line_count = part.chunk.line_count;
  return kept;
}

void RowSource::parse_ahead(std::size_t max_size, const std::stop_token& stop) {
  try {
    Part part;
    for (std::size_t size = 0; size < max_size && !stop.stop_requested() && reader_.next(part.chunk);) {
      Part next = parsed_ahead(part);
      size += size_of(next);
      const std::lock_guard lock(mutex_);
      parts_ahead_.push_back(std::move(next));
    }
  } catch (...) {
    error_ahead_ = std::current_exception();
  }
}

// False where nothing was parsed ahead any more.
bool RowSource::take_from_ahead(Part& part) {
  Part next;
  {
    const std::lock_guard lock(mutex_);
    if (parts_ahead_.empty()) {
      return false;
    }
    next = std::move(parts_ahead_.front());
    parts_ahead_.pop_front();
  }
  // Memory of `part` that is not replaced here may be used again.
  if (next.state == Part::State::kRows) {
    part.rows = std::move(next.rows);
  }
  if (next.chunk.text.empty()) {
    part.chunk.text = {};
    part.chunk.first_line = next.chunk.first_line;
    part.chunk.line_count = next.chunk.line_count;
    part.chunk.fault = {};
  } else {
    part.chunk = std::move(next.chunk);
  }
  part.tenths = std::move(next.tenths);
  part.state = next.state;
  return true;
}

bool RowSource::take(Part& part, const std::stop_token& stop) {
  part.state = Part::State::kText;
  if (!unreadable_.empty()) {
    part.chunk = std::move(unreadable_.front());
    unreadable_.pop_front();
    return true;
  }
  if (std::exchange(has_first_, false)) {
    std::swap(part.chunk, first_);
    return true;
  }
  if (ahead_.joinable()) {
    if (take_from_ahead(part)) {
      return true;
    }
    ahead_.request_stop();
    ahead_.join();
  }
  if (take_from_ahead(part)) {
    return true;
  }
  if (error_ahead_) {
    std::rethrow_exception(std::exchange(error_ahead_, nullptr));
  }
  return reader_.next(part.chunk, stop);
}

void RowSource::parse(Part& part) const {
  if (part.state == Part::State::kText) {
    part.state = parse(part.chunk, part.tenths, part.rows);
  }
  if (part.state == Part::State::kTenths) {
    part.rows.features.resize(part.tenths.size());
    floats_of_tenths(part.tenths, part.rows.features.data());
    part.rows.count = part.chunk.line_count;
    part.rows.bad.clear();
    part.state = Part::State::kRows;
  }
}

std::string RowSource::place_of(const Part& part, std::size_t number) const {
  return part.chunk.text.empty() ? reader_.name() + ":" + std::to_string(part.chunk.first_line + number) + ": "
                                 : parser_->place_of(part.chunk, number);
}

}  // namespace iris
