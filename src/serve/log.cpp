#include "serve/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <ctime>

#include "text.h"

namespace iris::serve {
namespace {

constexpr std::chrono::milliseconds kGathering(5);
constexpr std::chrono::seconds kLongestFlush(1);  // it may be a pipe that nobody reads
constexpr int kLookWhileFull = 100;               // milliseconds

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
  const auto milliseconds = static_cast<int>(now.tv_nsec / 1'000'000);
  const char digits[] = {'.', static_cast<char>('0' + milliseconds / 100),
                         static_cast<char>('0' + milliseconds / 10 % 10), static_cast<char>('0' + milliseconds % 10),
                         'Z'};
  return std::string(text.data()).append(digits, sizeof digits);
}

// "12.345"; printf would take longer than the rest of the line.
std::string milliseconds_text(std::chrono::steady_clock::duration duration) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  const std::string decimals = std::to_string(1000 + microseconds % 1000);
  return std::to_string(microseconds / 1000) + "." + decimals.substr(1);
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
  const std::string duration = milliseconds_text(line.took);
  std::string text;
  text.reserve(256);
  if (format_ == LogFormat::kJson) {
    text.append("{\"time\":\"").append(now_text()).append("\",\"method\":").append(text::json_string(line.method));
    text.append(",\"route\":")
        .append(text::json_string(line.route))
        .append(",\"status\":")
        .append(std::to_string(line.status));
    text.append(",\"rows\":").append(std::to_string(line.rows)).append(",\"ms\":").append(duration);
    text.append(",\"request_id\":").append(text::json_string(line.request_id));
    if (!line.traceparent.empty()) {
      text.append(",\"traceparent\":").append(text::json_string(line.traceparent));
    }
    text += "}\n";
  } else {
    text.append(now_text()).append(" ").append(line.method).append(" ").append(line.route).append(" ");
    text.append(std::to_string(line.status)).append(" rows=").append(std::to_string(line.rows));
    text.append(" ms=").append(duration).append(" id=").append(line.request_id);
    if (!line.traceparent.empty()) {
      text.append(" traceparent=").append(line.traceparent);
    }
    text += '\n';
  }
  append(text);
}

void Log::message(std::string_view text) {
  if (format_ == LogFormat::kJson) {
    append("{\"time\":\"" + now_text() + "\",\"message\":" + text::json_string(text) + "}\n");
  } else {
    append("iris: " + std::string(text) + "\n");
  }
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
  waiting_ += line;
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
      return;  // nobody can be told
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
      const std::string fact = "the log was not read: " + std::to_string(dropped_) + " lines are missing here";
      lines += format_ == LogFormat::kJson ? "{\"message\":\"" + fact + "\"}\n" : "iris: " + fact + "\n";
      dropped_ = 0;
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
