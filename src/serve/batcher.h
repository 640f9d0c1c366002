// Rows of concurrent requests through the model in shared passes.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serve/give_way.h"
#include "serve/metrics.h"
#include "serve/protocol/model.h"
#include "serve/protocol/request_error.h"

namespace iris::serve {

// What the batchers of a server share.
struct InferenceState {
  std::size_t max_batch_rows;
  std::size_t max_queue_rows;
  Metrics& metrics;
  std::function<void(const std::string& message)> on_dead_model;  // one that answers nothing any more
  std::atomic<std::size_t> pending_rows = 0;
};

// A request's rows on their way.
struct Job {
  std::shared_ptr<const Model> model;
  std::vector<float> rows;  // float32 [row_count, features]
  std::size_t row_count;
  Clock::time_point arrived;
  std::optional<Clock::time_point> deadline;
  // Called once, on the batcher's thread: with the predictions, in which the job's rows lie behind `first`, or with the
  // error. May not throw.
  std::function<void(const Predictions* predictions, std::size_t first, const RequestError* error)> done;
};

// Takes jobs from any thread and runs them on the thread of its io_context: one after another with max_wait 0, so that
// what came meanwhile shares the next pass; else each pass waits so long for company.
class Batcher {
 public:
  Batcher(boost::asio::io_context& context, std::chrono::microseconds max_wait, InferenceState& state);

  // Throws RequestError 503 where the queue is full.
  void add(Job job);

 private:
  void schedule();
  void run();
  std::vector<Job> take_batch();
  void run_batch(std::vector<Job>& batch);
  void predict(const Model& model, std::size_t row_count);
  void finish(Job& job, const Predictions* predictions, std::size_t first, const RequestError* error);
  bool is_late(Job& job);

  boost::asio::io_context& context_;
  std::chrono::microseconds max_wait_;
  InferenceState& state_;
  boost::asio::steady_timer timer_;

  std::mutex mutex_;
  std::deque<Job> queue_;        // guarded
  std::size_t queued_rows_ = 0;  // guarded
  bool is_scheduled_ = false;    // guarded

  // Of the running batch.
  std::vector<float> rows_;
  Predictions predictions_;
  Predictions pass_;  // of the rows at hand, where they take several passes
  GiveWay give_way_;
};

}  // namespace iris::serve
