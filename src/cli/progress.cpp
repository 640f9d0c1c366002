#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr const char* kRemoveLine = "\r\x1b[K";

std::string clock_text(double seconds) {
  const auto whole = static_cast<unsigned long long>(std::llround(seconds));
  char text[40];
  std::snprintf(text, sizeof text, "%llu:%02llu", whole / 60, whole % 60);
  return text;
}

}  // namespace

std::string progress_text(double elapsed_seconds, double count, const char* unit, std::uint64_t position,
                          std::optional<std::uint64_t> size, const std::string& note) {
  std::string line;
  if (size && *size > 0) {
    const double share = std::min(1.0, static_cast<double>(position) / static_cast<double>(*size));
    const std::string percent = fixed_text(100 * share, 0);
    const auto full = static_cast<std::size_t>(share * kBarWidth);
    line = "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "]" +
           std::string(4 - percent.size(), ' ') + percent + "%  ";
    if (share > 0) {
      line += clock_text(elapsed_seconds * (1 - share) / share) + " left  ";
    }
  }
  line += fixed_text(count, 0) + " " + unit + "  " + fixed_text(count / elapsed_seconds, 0) + " " + unit + "/s";
  return note.empty() ? line : line + "  " + note;
}

Progress::Progress(bool is_quiet, const char* unit, double one)
    : is_shown_(!is_quiet && is_terminal()), unit_(unit), one_(one) {}

bool Progress::is_terminal() {
  const char* const kind = std::getenv("TERM");
  const bool takes_escapes = kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
  return takes_escapes && ::isatty(STDERR_FILENO) == 1;
}

Progress::~Progress() {
  if (is_drawn_) {
    std::fputs(kRemoveLine, stderr);
    std::fflush(stderr);
  }
}

void Progress::show(std::uint64_t done, std::uint64_t position, std::optional<std::uint64_t> size,
                    const std::string& note) {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> elapsed = now - start_;
  if (!is_shown_ || elapsed.count() < 1 || now - drawn_ < std::chrono::milliseconds(50)) {
    return;
  }
  const std::string line =
      progress_text(elapsed.count(), static_cast<double>(done) / one_, unit_, position, size, note);
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  is_drawn_ = true;
  drawn_ = now;
}

void Progress::say(const std::string& line) {
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "%s%s\n", is_drawn_ ? kRemoveLine : "", text::printable(line, std::string::npos).c_str());
  is_drawn_ = false;
}

}  // namespace iris
