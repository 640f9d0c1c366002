#include "serve/batcher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

namespace iris::serve {
namespace {

namespace asio = boost::asio;

std::size_t width_of(const Job& job) { return job.rows.size() / job.row_count; }

}  // namespace

Batcher::Batcher(asio::io_context& context, std::chrono::microseconds max_wait, InferenceState& state)
    : context_(context), max_wait_(max_wait), state_(state), timer_(context) {}

void Batcher::add(Job job) {
  const std::size_t rows = job.row_count;
  if (rows > state_.max_queue_rows || state_.pending_rows.fetch_add(rows) + rows > state_.max_queue_rows) {
    if (rows <= state_.max_queue_rows) {
      state_.pending_rows -= rows;
    }
    state_.metrics.count_inference(Outcome::kRefused, Clock::now() - job.arrived);
    if (rows > state_.max_queue_rows) {  // trying again would not help
      throw RequestError(413, "the request's " + std::to_string(rows) + " rows are more than the queue holds, " +
                                  std::to_string(state_.max_queue_rows) + "; send fewer in one request");
    }
    throw RequestError(503, "the queue is full; try again");
  }
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(job));
  queued_rows_ += rows;
  const bool is_full = queued_rows_ >= state_.max_batch_rows;
  if (!std::exchange(is_scheduled_, true)) {
    asio::post(context_, [this, waits = max_wait_.count() > 0 && !is_full] {
      if (!waits) {
        run();
        return;
      }
      timer_.expires_after(max_wait_);
      timer_.async_wait([this](const boost::system::error_code&) { run(); });
    });
  } else if (max_wait_.count() > 0 && is_full) {
    asio::post(context_, [this] { timer_.cancel(); });
  }
}

// As many jobs as fit, of one model and one width. The first always fits.
std::vector<Job> Batcher::take_batch() {
  const std::lock_guard lock(mutex_);
  std::vector<Job> batch;
  std::size_t rows = 0;
  const auto fits = [&](const Job& job) {
    return batch.empty() || (rows + job.row_count <= state_.max_batch_rows && job.model == batch[0].model &&
                             width_of(job) == width_of(batch[0]));
  };
  while (!queue_.empty() && fits(queue_.front())) {
    rows += queue_.front().row_count;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_rows_ -= rows;
  is_scheduled_ = !batch.empty();
  return batch;
}

void Batcher::run() {
  for (auto batch = take_batch(); !batch.empty(); batch = take_batch()) {
    std::erase_if(batch, [this](Job& job) {
      const auto now = Clock::now();
      state_.metrics.queue_seconds.observe(std::chrono::duration<double>(now - job.arrived).count());
      return refuse_late(job, now, "was asked");
    });
    if (!batch.empty()) {
      run_batch(batch);
    }
  }
  give_way_.after_run();
}

bool Batcher::refuse_late(Job& job, Clock::time_point now, const char* before) {
  if (!job.deadline || now < *job.deadline) {
    return false;
  }
  const RequestError error(504, std::string("parameters.timeout: was over before the model ") + before);
  finish(job, nullptr, 0, &error);
  return true;
}

// One request may have more rows than a pass takes.
void Batcher::predict(const Model& model, std::size_t row_count) {
  const std::size_t width = rows_.size() / row_count;
  for (std::size_t first = 0; first < row_count; first += state_.max_batch_rows) {
    const std::size_t count = std::min(state_.max_batch_rows, row_count - first);
    Predictions& pass = first == 0 ? predictions_ : pass_;
    const auto start = Clock::now();
    model.predict(std::span(rows_).subspan(first * width, count * width), count, pass);
    state_.metrics.count_pass(count, Clock::now() - start);
    if (first != 0) {
      const auto append = [](auto& all, const auto& more) { all.insert(all.end(), more.begin(), more.end()); };
      append(predictions_.outputs, pass.outputs);
      append(predictions_.probabilities, pass.probabilities);
      append(predictions_.best, pass.best);
    }
  }
}

void Batcher::run_batch(std::span<Job> batch) {
  rows_.clear();
  std::size_t row_count = 0;
  for (const Job& job : batch) {
    rows_.insert(rows_.end(), job.rows.begin(), job.rows.end());
    row_count += job.row_count;
  }
  const Model& model = *batch[0].model;
  try {
    predict(model, row_count);
  } catch (const std::exception& problem) {
    if (batch.size() > 1) {  // only the job that fails gets the error
      for (Job& job : batch) {
        run_batch({&job, 1});
      }
      return;
    }
    const auto* refusal = dynamic_cast<const RequestError*>(&problem);
    const RequestError error = refusal != nullptr ? *refusal : RequestError(500, problem.what());
    if (refusal == nullptr && !model.is_alive()) {
      state_.on_dead_model(problem.what());
    }
    finish(batch[0], nullptr, 0, &error);
    return;
  }
  std::size_t first = 0;
  const auto now = Clock::now();
  for (Job& job : batch) {
    if (!refuse_late(job, now, "had answered")) {
      finish(job, &predictions_, first, nullptr);
    }
    first += job.row_count;
  }
}

void Batcher::finish(Job& job, const Predictions* predictions, std::size_t first, const RequestError* error) {
  const Outcome outcome = error == nullptr       ? Outcome::kSuccess
                          : error->status == 504 ? Outcome::kRefused
                                                 : Outcome::kFailure;
  state_.metrics.count_inference(outcome, Clock::now() - job.arrived);
  state_.pending_rows -= job.row_count;
  job.done(predictions, first, error);
}

}  // namespace iris::serve
