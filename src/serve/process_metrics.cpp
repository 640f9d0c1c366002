#include "serve/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace iris::serve {
namespace {

const auto kStart = std::chrono::system_clock::now();  // static: set when the process loads this library

void append(std::string& text, std::string_view name, std::string_view type, std::string_view help, double value) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  text.append(type).append("\n").append(name).append(" ").append(std::to_string(value)).append("\n");
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void append_process_metrics(std::string& text) {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  append(text, "process_cpu_seconds_total", "counter", "User and system time.",
         seconds(usage.ru_utime) + seconds(usage.ru_stime));

  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  append(text, "process_resident_memory_bytes", "gauge", "In memory.", static_cast<double>(resident_pages) * page);
  append(text, "process_virtual_memory_bytes", "gauge", "Addressed.", static_cast<double>(virtual_pages) * page);

  std::error_code error;
  std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  const auto open = error ? 0 : std::distance(begin(descriptors), end(descriptors));
  append(text, "process_open_fds", "gauge", "File descriptors in use.", static_cast<double>(open));
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  append(text, "process_max_fds", "gauge", "File descriptors allowed.", static_cast<double>(limit.rlim_cur));

  append(text, "process_start_time_seconds", "gauge", "Since 1970.",
         std::chrono::duration<double>(kStart.time_since_epoch()).count());
}

}  // namespace iris::serve
