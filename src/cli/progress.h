// A line on the terminal that shows how much of the work is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace iris {

// The line: "[######......]  50%  0:10 left  500 rows  50 rows/s  note". Without a size it has no bar and no time left.
// See Progress for the other arguments.
std::string progress_text(double elapsed_seconds, double count, const char* unit, std::uint64_t position,
                          std::optional<std::uint64_t> size, const std::string& note);

// Draws on stderr if that is a terminal, once the work has taken a second, and at most twenty times a second.
class Progress {
 public:
  // unit: what the line counts; one: how much of `done` is one of it. "rows", 1 or "MiB", 2^20.
  Progress(bool is_quiet, const char* unit, double one);
  // Whether stderr is a terminal that takes escape sequences, as $TERM says: it is set, and not "dumb".
  static bool is_terminal();

  ~Progress();  // removes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // done: so far. position / size: the share of the work; a pipe has no size. note: put at the end of the line.
  void show(std::uint64_t done, std::uint64_t position, std::optional<std::uint64_t> size,
            const std::string& note = "");

  // Prints a line of its own on stderr, terminal or not, in a printable form. Any thread may.
  void say(const std::string& line);

 private:
  bool is_shown_;
  const char* unit_;
  double one_;
  std::mutex mutex_;  // of the terminal
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point drawn_;  // last; of the thread that calls show()
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace iris
