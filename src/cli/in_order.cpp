#include "cli/in_order.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "io/interrupt.h"

namespace iris {

InOrder::InOrder(std::size_t worker_count, const std::function<std::unique_ptr<Part>()>& make_part)
    : worker_count_(worker_count) {
  for (std::size_t i = 0; i < 2 * worker_count; ++i) {
    idle_.push_back(make_part());
  }
}

void InOrder::run(const std::function<void()>& tick) {
  std::vector<std::thread> workers;
  running_ = worker_count_;
  for (std::size_t i = 0; i < worker_count_; ++i) {
    try {
      workers.emplace_back([this] { work_until_no_more(); });
    } catch (const std::system_error&) {  // no more threads to be had
      if (workers.empty()) {
        throw;
      }
      const std::lock_guard lock(mutex_);
      running_ -= worker_count_ - i;
      break;
    }
  }
  std::unique_lock lock(mutex_);
  while (!worker_ended_.wait_for(lock, std::chrono::milliseconds(100), [&] { return running_ == 0; })) {
    lock.unlock();
    tick();
    if (is_interrupted() || stop_.stop_requested()) {
      for (std::thread& worker : workers) {
        wake(worker.native_handle());
      }
    }
    lock.lock();
  }
  lock.unlock();
  for (std::thread& worker : workers) {
    worker.join();
  }
  if (error_) {
    std::rethrow_exception(error_);
  }
}

void InOrder::work_until_no_more() {
  Taken taken;
  while (take(taken)) {
    try {
      if (!taken.error) {
        taken.part->work();
      }
    } catch (...) {
      taken.error = std::current_exception();
    }
    const std::size_t number = taken.number;
    std::unique_lock lock(mutex_);
    done_.emplace(number, std::exchange(taken, {}));
    give_all_due(lock);
  }
  const std::lock_guard lock(mutex_);
  --running_;
  worker_ended_.notify_one();
}

bool InOrder::take(Taken& taken) {
  const std::lock_guard one_at_a_time(taking_);
  {
    std::unique_lock lock(mutex_);
    part_is_idle_.wait(lock, [&] { return !idle_.empty() || error_; });
    if (error_) {
      return false;
    }
    taken.part = std::move(idle_.back());
    idle_.pop_back();
  }
  try {
    if (!taken.part->take(stop_.get_token())) {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(taken.part));
      return false;
    }
  } catch (...) {
    taken.error = std::current_exception();
  }
  taken.number = taken_count_++;
  return true;
}

// lock: of mutex_; let go while a part is given.
void InOrder::give_all_due(std::unique_lock<std::mutex>& lock) {
  if (is_giving_) {
    return;
  }
  is_giving_ = true;
  while (!error_ && !done_.empty() && done_.begin()->first == given_count_) {
    Taken next = std::move(done_.extract(done_.begin()).mapped());
    lock.unlock();
    try {
      if (next.error) {
        std::rethrow_exception(next.error);
      }
      next.part->give();
      lock.lock();
    } catch (...) {
      lock.lock();
      error_ = std::current_exception();
      stop_.request_stop();
    }
    ++given_count_;
    idle_.push_back(std::move(next.part));
    part_is_idle_.notify_all();
  }
  is_giving_ = false;
}

}  // namespace iris
