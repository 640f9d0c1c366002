#include "serve/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "text.h"

namespace iris::serve {
namespace {

constexpr double kSeconds[] = {0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                               0.01,     0.025,   0.05,   0.1,     0.25,   1,     5,      30};
constexpr double kRows[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};
constexpr std::string_view kOutcomes[] = {"success", "failure", "refused"};

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::uint64_t nanoseconds(Clock::duration duration) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(duration).count());
}

void add(std::atomic<std::uint64_t>& counter, std::uint64_t value = 1) {
  counter.fetch_add(value, std::memory_order_relaxed);
}

void append_sample(std::string& text, std::string_view name, std::string_view labels, std::string_view value) {
  text.append(name);
  if (!labels.empty()) {
    text.append("{").append(labels).append("}");
  }
  text.append(" ").append(value).append("\n");
}

using Samples = std::vector<std::pair<std::string, std::string>>;  // labels, and the value

void append_family(std::string& text, std::string_view name, std::string_view type, std::string_view help,
                   const Samples& samples) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  text.append(type).append("\n");
  for (const auto& [labels, value] : samples) {
    append_sample(text, name, labels, value);
  }
}

std::string number_text(double value) { return nlohmann::json(value).dump(); }

std::string label(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + "=\"";
  for (const char character : value) {
    if (character == '"' || character == '\\') {
      text += '\\';
    }
    text += character;
  }
  return text + "\"";
}

template <class Counters>
Samples by_outcome(const std::string& other_labels, const Counters& counters) {
  Samples samples;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    samples.emplace_back(other_labels + label("outcome", kOutcomes[i]), std::to_string(counters[i]));
  }
  return samples;
}

const auto kStart = std::chrono::system_clock::now();  // static: set when the process loads this library

// Under the names that Prometheus' client libraries use.
void append_process(std::string& text) {
  const auto append = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    append_family(text, name, type, help, {{"", std::to_string(static_cast<double>(value))}});
  };
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto [user, system] = std::pair(usage.ru_utime, usage.ru_stime);
  append("process_cpu_seconds_total", "counter", "User and system time.",
         static_cast<double>(user.tv_sec + system.tv_sec) + static_cast<double>(user.tv_usec + system.tv_usec) / 1e6);
  long virtual_pages = 0;
  long resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  const long page = ::sysconf(_SC_PAGESIZE);
  append("process_resident_memory_bytes", "gauge", "In memory.", resident_pages * page);
  append("process_virtual_memory_bytes", "gauge", "Addressed.", virtual_pages * page);
  std::error_code error;
  std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  append("process_open_fds", "gauge", "File descriptors in use.",
         error ? 0 : std::distance(begin(descriptors), end(descriptors)));
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  append("process_max_fds", "gauge", "File descriptors allowed.", limit.rlim_cur);
  append("process_start_time_seconds", "gauge", "Since 1970.",
         std::chrono::duration<double>(kStart.time_since_epoch()).count());
}

}  // namespace

void Histogram::observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  add(counts_[static_cast<std::size_t>(bound - bounds_.begin())]);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t count = 0;
  for (const auto& each : counts_) {
    count += each.load(std::memory_order_relaxed);
  }
  return count;
}

void Histogram::append(std::string_view name, std::string_view labels, std::string& text) const {
  const std::string family(name);
  const std::string before = labels.empty() ? "" : std::string(labels) + ",";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    count += counts_[i].load(std::memory_order_relaxed);
    const std::string bound = i < bounds_.size() ? number_text(bounds_[i]) : "+Inf";
    append_sample(text, family + "_bucket", before + label("le", bound), std::to_string(count));
  }
  append_sample(text, family + "_sum", labels, number_text(sum()));
  append_sample(text, family + "_count", labels, std::to_string(count));
}

Metrics::Metrics()
    : queue_seconds(kSeconds), request_seconds_(kSeconds), batch_rows_(kRows), compute_seconds_(kSeconds) {}

void Metrics::count_request(Route route, std::string_view method, int status, Clock::duration took) {
  const auto* const place = std::find(kMethods.begin(), std::prev(kMethods.end()), method);  // the last: all others
  add(requests_[static_cast<std::size_t>(route)][static_cast<std::size_t>(place - kMethods.begin())]
               [status_place(status)]);
  request_seconds_.observe(seconds(took));
}

void Metrics::count_inference(Outcome outcome, Clock::duration took) {
  add(inferences_[static_cast<std::size_t>(outcome)]);
  add(inference_ns_[static_cast<std::size_t>(outcome)], nanoseconds(took));
}

void Metrics::count_pass(std::size_t rows, Clock::duration compute) {
  add(rows_, rows);
  batch_rows_.observe(static_cast<double>(rows));
  compute_seconds_.observe(seconds(compute));
  add(batch_of(rows).count);
  add(batch_of(rows).compute_ns, nanoseconds(compute));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  last_inference_ms_ = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

void Metrics::count_copies(std::size_t rows, Clock::duration input, Clock::duration output) {
  add(batch_of(rows).input_ns, nanoseconds(input));
  add(batch_of(rows).output_ns, nanoseconds(output));
}

void Metrics::count_reload(bool is_success) { add(reloads_[is_success ? 0 : 1]); }

std::string Metrics::text(const std::string& model, bool is_ready, std::size_t pending_rows) const {
  std::string text;
  const auto family = [&](const char* name, const char* type, const char* help, const Samples& samples) {
    append_family(text, name, type, help, samples);
  };
  const auto histogram = [&](const char* name, const Histogram& values, const char* help) {
    family(name, "histogram", help, {});
    values.append(name, "", text);
  };
  Samples requests;
  for (std::size_t route = 0; route < kRouteCount; ++route) {
    for (std::size_t method = 0; method < kMethods.size(); ++method) {
      for (std::size_t status = 0; status < kStatuses.size(); ++status) {
        if (const std::uint64_t count = requests_[route][method][status].load(std::memory_order_relaxed); count != 0) {
          requests.emplace_back(label("route", template_of(static_cast<Route>(route))) + "," +
                                    label("method", kMethods[method]) + "," +
                                    label("code", std::to_string(kStatuses[status].first)),
                                std::to_string(count));
        }
      }
    }
  }
  const std::string its_label = label("model", model);
  family("iris_http_requests_total", "counter", "Requests answered, by route, method and status.", requests);
  histogram("iris_http_request_duration_seconds", request_seconds_, "From a request's last byte to its answer.");
  family("iris_inference_requests_total", "counter", "Inferences, by outcome.",
         by_outcome(its_label + ",", inferences_));
  family("iris_inference_rows_total", "counter", "Rows through the model.", {{"", std::to_string(rows_)}});
  histogram("iris_inference_batch_rows", batch_rows_, "Rows of a forward pass.");
  histogram("iris_inference_queue_seconds", queue_seconds, "From a request's arrival in the queue to its pass.");
  histogram("iris_inference_compute_seconds", compute_seconds_, "Of a forward pass.");
  family("iris_inference_pending_rows", "gauge", "Rows in the queue and in passes.",
         {{"", std::to_string(pending_rows)}});
  family("iris_model_ready", "gauge", "1 while the model takes requests.", {{its_label, is_ready ? "1" : "0"}});
  family("iris_model_reloads_total", "counter", "Times the model file was read again, by outcome.",
         by_outcome("", reloads_));
  family("iris_build_info", "gauge", "1; the version is in the label.", {{label("version", IRIS_VERSION), "1"}});
  append_process(text);
  return text;
}

std::string Metrics::stats_json(const std::string& model) const {
  using nlohmann::json;
  const auto duration = [](std::uint64_t count, std::uint64_t ns) { return json{{"count", count}, {"ns", ns}}; };
  const auto ns_of = [](const Histogram& histogram) { return static_cast<std::uint64_t>(histogram.sum() * 1e9); };
  json batches = json::array();
  std::uint64_t input_ns = 0;
  std::uint64_t output_ns = 0;
  for (std::size_t rows = 1; rows <= kMostBatchRows; ++rows) {
    const BatchCounters& batch = batches_[rows];
    if (const std::uint64_t count = batch.count.load(); count != 0) {
      input_ns += batch.input_ns.load();
      output_ns += batch.output_ns.load();
      batches.push_back({{"batch_size", rows},
                         {"compute_input", duration(count, batch.input_ns)},
                         {"compute_infer", duration(count, batch.compute_ns)},
                         {"compute_output", duration(count, batch.output_ns)}});
    }
  }
  const json stats = {
      {"name", model},
      {"version", "1"},
      {"last_inference", last_inference_ms_.load()},
      {"inference_count", rows_.load()},
      {"execution_count", compute_seconds_.count()},
      {"inference_stats",
       {{"success", duration(inferences_[0], inference_ns_[0])},
        {"fail", duration(inferences_[1] + inferences_[2], inference_ns_[1] + inference_ns_[2])},
        {"queue", duration(queue_seconds.count(), ns_of(queue_seconds))},
        {"compute_input", duration(compute_seconds_.count(), input_ns)},
        {"compute_infer", duration(compute_seconds_.count(), ns_of(compute_seconds_))},
        {"compute_output", duration(compute_seconds_.count(), output_ns)}}},
      {"batch_stats", std::move(batches)},
  };
  return text::json(json{{"model_stats", json::array({stats})}});
}

}  // namespace iris::serve
