#include "serve/process_metrics.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace iris::serve {
namespace {

std::string text() {
  std::string text;
  append_process_metrics(text);
  return text;
}

double value_of(const std::string& name) {
  const std::string all = text();
  const std::size_t place = all.find("\n" + name + " ");
  return place == std::string::npos ? -1 : std::stod(all.substr(place + name.size() + 2));
}

TEST(ProcessMetrics, HaveAValueForEachName) {
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
                           "process_open_fds", "process_max_fds", "process_start_time_seconds"}) {
    EXPECT_GT(value_of(name), 0) << name;
  }
}

TEST(ProcessMetrics, TellTheTypeBeforeTheValue) {
  EXPECT_NE(text().find("# HELP process_open_fds File descriptors in use.\n# TYPE process_open_fds gauge\n"
                        "process_open_fds "),
            std::string::npos);
}

TEST(ProcessMetrics, KnowThatTheProcessHasStarted) {
  EXPECT_LE(value_of("process_start_time_seconds"), static_cast<double>(std::time(nullptr)) + 1);
}

}  // namespace
}  // namespace iris::serve
