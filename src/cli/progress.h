// A line on the terminal that says how far the work is.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace iris {

// Draws on stderr, only when that is a terminal, and only once the work has taken a second.
class Progress {
 public:
  // unit: what is counted, and how much of it is one: "rows", 1 or "MiB", 2^20.
  Progress(bool is_quiet, const char* unit, double one);
  // Whether there is one to draw on.
  static bool is_terminal();

  ~Progress();  // takes the line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // done: so far; position of size: the share of the work, the size unknown for a pipe.
  // note: more to be said behind that.
  void show(std::uint64_t done, std::uint64_t position, std::optional<std::uint64_t> size,
            const std::string& note = "");

  // Prints a line of its own on stderr, terminal or not. Any thread may.
  void say(const std::string& line);

 private:
  bool is_shown_;
  const char* unit_;
  double one_;
  std::mutex mutex_;  // of the terminal
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace iris
