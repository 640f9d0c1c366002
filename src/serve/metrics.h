// What happened so far, as counters and histograms. Any number of threads may count and read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/protocol/response.h"
#include "serve/routes.h"

namespace iris::serve {

using Clock = std::chrono::steady_clock;

// How many values were at most each bound, and their sum.
class Histogram {
 public:
  static constexpr std::size_t kMostBounds = 16;

  // `bounds`: ascending, at most kMostBounds. They must outlive this.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void observe(double value);
  std::uint64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

  // Appends the samples NAME_bucket, NAME_sum and NAME_count; `labels` is empty or `route="/predict"`.
  void append(std::string_view name, std::string_view labels, std::string& text) const;

 private:
  std::span<const double> bounds_;
  std::array<std::atomic<std::uint64_t>, kMostBounds + 1> counts_{};  // the last: values above every bound
  std::atomic<double> sum_ = 0;
};

enum class Outcome { kSuccess, kFailure, kRefused };  // of an inference; refused: full, or too late

class Metrics {
 public:
  Metrics();

  void count_request(Route route, std::string_view method, int status, Clock::duration took);
  void count_inference(Outcome outcome, Clock::duration took);
  void count_pass(std::size_t rows, Clock::duration compute);
  // Around one or more passes: bringing the requests' rows together, and making their answers.
  void count_copies(std::size_t rows, Clock::duration input, Clock::duration output);
  void count_reload(bool is_success);

  // Prometheus' text format, with the figures of this process. The caller knows the gauges' values.
  std::string text(const std::string& model, bool is_ready, std::size_t pending_rows) const;

  // The same figures in Triton's words: {"model_stats":[…]}.
  std::string stats_json(const std::string& model) const;

  Histogram queue_seconds;

 private:
  static constexpr std::size_t kMostBatchRows = 4096;  // larger passes count as one of these
  static constexpr std::array<std::string_view, 8> kMethods = {"GET",   "POST",    "HEAD",   "PUT",
                                                               "PATCH", "OPTIONS", "DELETE", "other"};
  using Counter = std::atomic<std::uint64_t>;

  struct BatchCounters {
    Counter count = 0;
    Counter compute_ns = 0;
    Counter input_ns = 0;
    Counter output_ns = 0;
  };
  BatchCounters& batch_of(std::size_t rows) { return batches_[std::min(rows, kMostBatchRows)]; }

  std::array<std::array<std::array<Counter, kStatuses.size()>, kMethods.size()>, kRouteCount> requests_{};
  std::array<Counter, 3> inferences_{};
  std::array<Counter, 3> inference_ns_{};
  std::array<Counter, 2> reloads_{};
  Counter rows_ = 0;
  Counter last_inference_ms_ = 0;  // since 1970
  Histogram request_seconds_;
  Histogram batch_rows_;
  Histogram compute_seconds_;
  std::vector<BatchCounters> batches_{kMostBatchRows + 1};  // by their rows
};

}  // namespace iris::serve
