// The log. No request waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace iris::serve {

enum class LogFormat { kText, kJson };

struct RequestLine {
  std::string_view method;
  std::string_view route;
  int status;
  std::size_t rows;
  std::chrono::steady_clock::duration took;
  std::string_view request_id;
  std::string_view traceparent;
  std::string_view error;  // why the status is 500 or more; may be empty
};

// A thread of its own writes the lines to the descriptor. Where nobody reads them, lines past kMostWaiting bytes are
// dropped and counted, and the destructor gives up those that still wait.
class Log {
 public:
  static constexpr std::size_t kMostWaiting = 4 << 20;

  Log(LogFormat format, int descriptor);
  ~Log();

  // For any thread.
  void request(const RequestLine& line);
  void message(std::string_view text);  // what happens to the server: "iris: the model was loaded again"

  // Returns once all lines so far are written, or after a second.
  void flush();

 private:
  std::string message_line(std::string_view text) const;
  void append(std::string_view line);
  void write_all(std::string_view bytes) const;
  void run();

  LogFormat format_;
  int descriptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::size_t dropped_ = 0;
  bool is_writing_ = false;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

}  // namespace iris::serve
