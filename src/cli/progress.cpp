#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace iris {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr const char* kTakeAway = "\r\x1b[K";

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * kBarWidth);
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "]";
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<unsigned long long>(seconds + 0.5);
  char text[40];
  std::snprintf(text, sizeof text, "%llu:%02llu", whole / 60, whole % 60);
  return text;
}

}  // namespace

Progress::Progress(bool is_quiet, const char* unit, double one)
    : is_shown_(!is_quiet && is_terminal()), unit_(unit), one_(one) {}

bool Progress::is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

Progress::~Progress() {
  if (is_drawn_) {
    std::fputs(kTakeAway, stderr);
    std::fflush(stderr);
  }
}

void Progress::show(std::uint64_t done, std::uint64_t position, std::optional<std::uint64_t> size,
                    const std::string& note) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  if (!is_shown_ || elapsed.count() < 1) {
    return;
  }
  const double count = static_cast<double>(done) / one_;
  std::string line;
  if (size && *size > 0) {
    const double share = std::min(1.0, static_cast<double>(position) / static_cast<double>(*size));
    char percent[8];
    std::snprintf(percent, sizeof percent, "%3.0f%%", 100 * share);
    line = bar(share) + " " + percent + "  ";
    if (share > 0) {
      line += clock_text(elapsed.count() * (1 - share) / share) + " left  ";
    }
  }
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "\r%s%.0f %s  %.0f %s/s%s\x1b[K", line.c_str(), count, unit_, count / elapsed.count(), unit_,
               note.empty() ? "" : ("  " + note).c_str());
  std::fflush(stderr);
  is_drawn_ = true;
}

void Progress::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "%s%s\n", is_drawn_ ? kTakeAway : "", line.c_str());
  is_drawn_ = false;
}

}  // namespace iris
