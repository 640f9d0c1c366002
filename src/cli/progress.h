// A line on the terminal that says how far the work is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace iris {

// Draws on stderr, only when that is a terminal, and only once the work has taken a second.
class Progress {
 public:
  explicit Progress(bool is_quiet);
  ~Progress();  // takes the line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // rows: scored so far; position and size: bytes of the input, the size unknown for a pipe.
  void show(std::uint64_t rows, std::uint64_t position, std::optional<std::uint64_t> size);

 private:
  bool is_shown_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace iris
