#include "serve/metrics.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "serve/process_metrics.h"

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

template <class Array, class Value>
std::size_t place_in(const Array& array, const Value& value) {  // the last place is for all others
  return static_cast<std::size_t>(std::find(array.begin(), std::prev(array.end()), value) - array.begin());
}

void append_head(std::string& text, std::string_view name, std::string_view type, std::string_view help) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  text.append(type).append("\n");
}

void append_sample(std::string& text, std::string_view name, std::string_view labels, std::uint64_t value) {
  text.append(name);
  if (!labels.empty()) {
    text.append("{").append(labels).append("}");
  }
  text.append(" ").append(std::to_string(value)).append("\n");
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
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    count += counts_[i].load(std::memory_order_relaxed);
    append_sample(text, family + "_bucket", before + "le=\"" + number_text(bounds_[i]) + "\"", count);
  }
  count += counts_[bounds_.size()].load(std::memory_order_relaxed);
  append_sample(text, family + "_bucket", before + "le=\"+Inf\"", count);
  text.append(family).append("_sum");
  if (!labels.empty()) {
    text.append("{").append(labels).append("}");
  }
  text.append(" ").append(number_text(sum())).append("\n");
  append_sample(text, family + "_count", labels, count);
}

Metrics::Metrics()
    : queue_seconds(kSeconds), request_seconds_(kSeconds), batch_rows_(kRows), compute_seconds_(kSeconds) {}

void Metrics::count_request(Route route, std::string_view method, int status, Clock::duration took) {
  add(requests_[static_cast<std::size_t>(route)][place_in(kMethods, method)][place_in(kStatuses, status)]);
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
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  last_inference_ms_ = static_cast<std::uint64_t>(
      std::chrono::milliseconds(std::chrono::duration_cast<std::chrono::milliseconds>(now)).count());
}

void Metrics::count_reload(bool is_success) { add(reloads_[is_success ? 0 : 1]); }

void Metrics::append_requests(std::string& text) const {
  append_head(text, "iris_http_requests_total", "counter", "Requests answered, by route, method and status.");
  for (std::size_t route = 0; route < kRouteCount; ++route) {
    for (std::size_t method = 0; method < kMethods.size(); ++method) {
      for (std::size_t status = 0; status < kStatuses.size(); ++status) {
        const std::uint64_t count = requests_[route][method][status].load(std::memory_order_relaxed);
        if (count != 0) {
          append_sample(text, "iris_http_requests_total",
                        label("route", template_of(static_cast<Route>(route))) + "," +
                            label("method", kMethods[method]) + "," + label("code", std::to_string(kStatuses[status])),
                        count);
        }
      }
    }
  }
}

std::string Metrics::text(const std::string& model, bool is_ready, std::size_t pending_rows) const {
  std::string text;
  const auto histogram = [&](const char* name, const Histogram& values, const char* help) {
    append_head(text, name, "histogram", help);
    values.append(name, "", text);
  };
  append_requests(text);
  histogram("iris_http_request_duration_seconds", request_seconds_, "From a request's last byte to its answer.");
  append_head(text, "iris_inference_requests_total", "counter", "Inferences, by outcome.");
  for (std::size_t i = 0; i < inferences_.size(); ++i) {
    append_sample(text, "iris_inference_requests_total", label("model", model) + "," + label("outcome", kOutcomes[i]),
                  inferences_[i]);
  }
  append_head(text, "iris_inference_rows_total", "counter", "Rows through the model.");
  append_sample(text, "iris_inference_rows_total", "", rows_);
  histogram("iris_inference_batch_rows", batch_rows_, "Rows of a forward pass.");
  histogram("iris_inference_queue_seconds", queue_seconds, "From a request's arrival in the queue to its pass.");
  histogram("iris_inference_compute_seconds", compute_seconds_, "Of a forward pass.");
  append_head(text, "iris_inference_pending_rows", "gauge", "Rows in the queue and in passes.");
  append_sample(text, "iris_inference_pending_rows", "", pending_rows);
  append_head(text, "iris_model_ready", "gauge", "1 while the model takes requests.");
  append_sample(text, "iris_model_ready", label("model", model), is_ready ? 1 : 0);
  append_head(text, "iris_model_reloads_total", "counter", "Times the model file was read again, by outcome.");
  append_sample(text, "iris_model_reloads_total", label("outcome", "success"), reloads_[0]);
  append_sample(text, "iris_model_reloads_total", label("outcome", "failure"), reloads_[1]);
  append_head(text, "iris_build_info", "gauge", "1; the version is in the label.");
  append_sample(text, "iris_build_info", label("version", IRIS_VERSION), 1);
  append_process_metrics(text);
  return text;
}

std::string Metrics::stats_json(const std::string& model) const {
  const auto duration = [](std::uint64_t count, std::uint64_t ns) {
    return nlohmann::json{{"count", count}, {"ns", ns}};
  };
  const auto ns_of = [](const Histogram& histogram) { return static_cast<std::uint64_t>(histogram.sum() * 1e9); };
  const nlohmann::json stats = {
      {"name", model},
      {"version", "1"},
      {"last_inference", last_inference_ms_.load()},
      {"inference_count", rows_.load()},
      {"execution_count", compute_seconds_.count()},
      {"inference_stats",
       {{"success", duration(inferences_[0], inference_ns_[0])},
        {"fail", duration(inferences_[1] + inferences_[2], inference_ns_[1] + inference_ns_[2])},
        {"queue", duration(queue_seconds.count(), ns_of(queue_seconds))},
        {"compute_infer", duration(compute_seconds_.count(), ns_of(compute_seconds_))}}},
  };
  return nlohmann::json{{"model_stats", nlohmann::json::array({stats})}}.dump();
}

}  // namespace iris::serve
