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
#include <span>
#include <string>
#include <vector>

#include "serve/give_way.h"
#include "serve/metrics.h"
#include "serve/protocol/memory_budget.h"
#include "serve/protocol/model.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// What the batchers of a server share.
struct InferenceState {
  std::size_t max_batch_rows;
  std::size_t max_queue_rows;
  Metrics& metrics;
  std::function<void(const std::string& message)> on_dead_model;  // called when the model no longer answers
  std::atomic<std::size_t> pending_rows = 0;
};

// A request's rows, until they are answered.
struct Job {
  std::shared_ptr<const Model> model;
  std::vector<float> rows;  // float32 [row_count, features]
  std::size_t row_count;
  Clock::time_point arrived;
  std::optional<Clock::time_point> deadline;
  const std::atomic<bool>* is_given_up = nullptr;  // set once nobody waits for the answer; lives as long as `done`
  MemoryBudget::Share memory = {};                 // of many rows
  // Called once, on the batcher's thread: with the predictions, in which the job's rows begin at `first`, or with the
  // error. Where it throws, it is called again with that error.
  std::function<void(const Predictions* predictions, std::size_t first, const RequestError* error)> done;
};

// Takes jobs from any thread and runs them on the thread of its io_context. Jobs that come during a pass share the next
// one. With a max_wait, a pass that is not full waits that long for more jobs.
class Batcher {
 public:
  Batcher(boost::asio::io_context& context, std::chrono::microseconds max_wait, InferenceState& state);

  // Throws RequestError 503 where the queue is full, and 413 where the job has more rows than the queue takes.
  void add(Job job);

  // From now on no pass waits for more rows. For any thread.
  void hurry();

  boost::asio::io_context& context() { return context_; }

 private:
  void run();
  void take_batch();
  void run_batch(std::span<Job> batch);
  void predict(const Model& model, std::size_t row_count);
  void finish(Job& job, const Predictions* predictions, std::size_t first, const RequestError* error);
  bool refuse_unwanted(Job& job, Clock::time_point now, const char* before);

  boost::asio::io_context& context_;
  std::chrono::microseconds max_wait_;
  InferenceState& state_;
  boost::asio::steady_timer timer_;
  std::atomic<bool> is_hurried_ = false;

  std::mutex mutex_;
  std::deque<Job> queue_;        // guarded
  std::size_t queued_rows_ = 0;  // guarded
  bool is_scheduled_ = false;    // guarded

  // The running batch. Their memory is used again.
  std::vector<Job> batch_;
  std::vector<float> rows_;
  Predictions predictions_;
  Predictions pass_;  // where the rows take several passes: the last one's
  GiveWay give_way_;
};

}  // namespace iris::serve
