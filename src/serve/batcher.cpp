#include "serve/batcher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <new>
#include <utility>

#include "serve/protocol/parse_limits.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kUsualJobs = 64;  // in a batch

std::size_t width_of(const Job& job) { return job.rows.size() / job.row_count; }

}  // namespace

Batcher::Batcher(asio::io_context& context, std::chrono::microseconds max_wait, InferenceState& state)
    : context_(context), max_wait_(max_wait), state_(state), timer_(context) {
  batch_.reserve(kUsualJobs);
}

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
  try {
    queue_.push_back(std::move(job));
  } catch (...) {
    state_.pending_rows -= rows;
    throw;
  }
  queued_rows_ += rows;
  const bool is_full = queued_rows_ >= state_.max_batch_rows;
  if (!std::exchange(is_scheduled_, true)) {
    asio::post(context_, [this, waits = max_wait_.count() > 0 && !is_full] {
      if (!waits || is_hurried_) {
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

void Batcher::hurry() {
  is_hurried_ = true;
  asio::post(context_, [this] { timer_.cancel(); });
}

// As many jobs as fit, of one model and one width. The first always fits.
void Batcher::take_batch() {
  const std::lock_guard lock(mutex_);
  batch_.clear();
  std::size_t rows = 0;
  const auto fits = [&](const Job& job) {
    return batch_.empty() || (rows + job.row_count <= state_.max_batch_rows && job.model == batch_[0].model &&
                              width_of(job) == width_of(batch_[0]));
  };
  while (!queue_.empty() && fits(queue_.front())) {
    const std::size_t more = queue_.front().row_count;
    try {
      batch_.push_back(std::move(queue_.front()));
    } catch (const std::bad_alloc&) {
      break;  // there is room for the first one, so the batch is not empty
    }
    queue_.pop_front();
    rows += more;
  }
  queued_rows_ -= rows;
  is_scheduled_ = !batch_.empty();
}

void Batcher::run() {
  for (take_batch(); !batch_.empty(); take_batch()) {
    std::erase_if(batch_, [this](Job& job) {
      const auto now = Clock::now();
      state_.metrics.queue_seconds.observe(std::chrono::duration<double>(now - job.arrived).count());
      return refuse_unwanted(job, now, "was asked");
    });
    if (!batch_.empty()) {
      run_batch(batch_);
    }
  }
  give_way_.after_run();
}

bool Batcher::refuse_unwanted(Job& job, Clock::time_point now, const char* before) {
  if (job.is_given_up != nullptr && *job.is_given_up) {
    const RequestError error(499, ParseLimits::kCallerLeft);
    finish(job, nullptr, 0, &error);
    return true;
  }
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
      append(predictions_.logits, pass.logits);
      append(predictions_.probabilities, pass.probabilities);
      append(predictions_.best, pass.best);
    }
  }
}

void Batcher::run_batch(std::span<Job> batch) {
  const Model& model = *batch[0].model;
  std::size_t row_count = 0;
  const auto start = Clock::now();
  auto asked = start;
  try {
    rows_.clear();
    for (const Job& job : batch) {
      rows_.insert(rows_.end(), job.rows.begin(), job.rows.end());
      row_count += job.row_count;
    }
    asked = Clock::now();
    predict(model, row_count);
  } catch (const std::exception& problem) {
    if (batch.size() > 1) {  // only the job that fails gets the error
      for (Job& job : batch) {
        run_batch({&job, 1});
      }
      return;
    }
    const RequestError error = request_error(problem);
    if (error.status == 500 && !model.is_alive()) {
      state_.on_dead_model(problem.what());
    }
    finish(batch[0], nullptr, 0, &error);
    return;
  }
  std::size_t first = 0;
  const auto answered = Clock::now();
  for (Job& job : batch) {
    if (!refuse_unwanted(job, answered, "had answered")) {
      finish(job, &predictions_, first, nullptr);
    }
    first += job.row_count;
  }
  state_.metrics.count_copies(std::min(row_count, state_.max_batch_rows), asked - start, Clock::now() - answered);
}

void Batcher::finish(Job& job, const Predictions* predictions, std::size_t first, const RequestError* error) {
  const Outcome outcome = error == nullptr                               ? Outcome::kSuccess
                          : error->status == 504 || error->status == 499 ? Outcome::kRefused
                                                                         : Outcome::kFailure;
  state_.metrics.count_inference(outcome, Clock::now() - job.arrived);
  state_.pending_rows -= job.row_count;
  try {
    job.done(predictions, first, error);
  } catch (const std::exception& problem) {  // most likely there is no memory for the answer
    try {
      const RequestError refusal = request_error(problem);
      job.done(nullptr, 0, &refusal);
    } catch (const std::exception&) {
      job.done = nullptr;  // not even for the refusal: its connection closes
    }
  }
}

}  // namespace iris::serve
