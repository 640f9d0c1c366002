// Metrics of this process, under the names that Prometheus' client libraries use.
#pragma once

#include <string>

namespace iris::serve {

// Appends process_cpu_seconds_total, process_resident_memory_bytes, … in Prometheus' text format.
void append_process_metrics(std::string& text);

}  // namespace iris::serve
