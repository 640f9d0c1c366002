#include "serve/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <initializer_list>
#include <new>

#include "text.h"

namespace iris::serve {
namespace {

constexpr std::chrono::milliseconds kGathering(5);
constexpr std::chrono::seconds kLongestFlush(1);  // it may be a pipe that nobody reads
constexpr int kLookWhileFull = 100;               // milliseconds

std::string three_digits(long number) { return std::to_string(1000 + number).substr(1); }

// "2026-01-31T12:34:56.789Z"
std::string now_text() {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  static thread_local std::time_t second = 0;
  static thread_local std::array<char, 24> text{};
  if (now.tv_sec != second) {
    second = now.tv_sec;
    std::tm parts = {};
    ::gmtime_r(&second, &parts);
    std::strftime(text.data(), text.size(), "%FT%T", &parts);
  }
  return std::string(text.data()) + "." + three_digits(now.tv_nsec / 1'000'000) + "Z";
}

// "12.345"; printf would take longer than the rest of the line.
std::string milliseconds_text(std::chrono::steady_clock::duration duration) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return std::to_string(microseconds / 1000) + "." + three_digits(microseconds % 1000);
}

std::string concatenated(std::initializer_list<std::string_view> parts) {
  std::string text;
  text.reserve(256);
  for (const std::string_view part : parts) {
    text += part;
  }
  return text;
}

}  // namespace

Log::Log(LogFormat format, int descriptor) : format_(format), descriptor_(descriptor), thread_([this] { run(); }) {}

Log::~Log() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Log::request(const RequestLine& line) {
  const std::string status = std::to_string(line.status);
  const std::string rows = std::to_string(line.rows);
  const std::string duration = milliseconds_text(line.took);
  if (format_ == LogFormat::kJson) {
    std::string more = line.traceparent.empty() ? "" : ",\"traceparent\":" + text::json_string(line.traceparent);
    more += line.error.empty() ? "" : ",\"error\":" + text::json_string(line.error);
    append(concatenated({"{\"time\":\"", now_text(), "\",\"method\":", text::json_string(line.method),
                         ",\"route\":", text::json_string(line.route), ",\"status\":", status, ",\"rows\":", rows,
                         ",\"ms\":", duration, ",\"request_id\":", text::json_string(line.request_id), more, "}\n"}));
  } else {
    append(concatenated({now_text(), " ", line.method, " ", line.route, " ", status, " rows=", rows, " ms=", duration,
                         " id=", line.request_id, line.traceparent.empty() ? "" : " traceparent=", line.traceparent,
                         line.error.empty() ? "" : " error=" + text::quoted(line.error), "\n"}));
  }
}

void Log::message(std::string_view text) { append(message_line(text)); }

std::string Log::message_line(std::string_view text) const {
  return format_ == LogFormat::kJson ? "{\"time\":\"" + now_text() + "\",\"message\":" + text::json_string(text) + "}\n"
                                     : "iris: " + std::string(text) + "\n";
}

void Log::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kLongestFlush, [this] { return waiting_.empty() && !is_writing_; });
}

void Log::append(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + line.size() > kMostWaiting) {
    ++dropped_;
    return;
  }
  if (waiting_.empty()) {
    changed_.notify_all();
  }
  try {
    waiting_ += line;
  } catch (const std::bad_alloc&) {
    ++dropped_;
  }
}

// Writes at most what a ready pipe takes without waiting: a pipe that nobody reads must not keep the process from
// ending.
void Log::write_all(std::string_view bytes) const {
  while (!bytes.empty()) {
    pollfd ready = {descriptor_, POLLOUT, 0};
    if (::poll(&ready, 1, kLookWhileFull) == 0) {
      if (is_over_) {
        return;
      }
      continue;
    }
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) {
      return;  // there is nobody to tell
    }
    bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
}

void Log::run() {
  std::string lines;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !waiting_.empty() || is_over_; });
    if (waiting_.empty()) {
      return;
    }
    if (!is_over_) {  // under load, many lines make one write
      lock.unlock();
      std::this_thread::sleep_for(kGathering);
      lock.lock();
    }
    lines.swap(waiting_);
    waiting_.clear();
    if (dropped_ != 0) {
      bool is_told = true;
      try {
        lines += message_line("the log was not read: " + std::to_string(dropped_) + " lines are missing here");
      } catch (const std::bad_alloc&) {
        is_told = false;  // with the next lines
      }
      dropped_ = is_told ? 0 : dropped_;
    }
    is_writing_ = true;
    lock.unlock();
    write_all(lines);
    lines.clear();
    lock.lock();
    is_writing_ = false;
    changed_.notify_all();
  }
}

}  // namespace iris::serve
