// Parts worked on by many threads, taken and given in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "io/interrupt.h"

namespace iris {

template <typename Part>
struct PartWork {
  // The next part, into one that was given before; false when there is no more. One thread at a time.
  std::function<bool(Part&, const std::stop_token&)> take;
  // Any number of threads at once.
  std::function<void(Part&)> work;
  // One thread at a time, in the order in which the parts were taken.
  std::function<void(Part&)> give;
  // The caller's thread, every tenth of a second.
  std::function<void()> tick;
};

// Returns when all is given. The first exception, in the order of the parts, ends it and is rethrown: what was taken
// before is given, nothing behind it is. Twice as many parts as workers are in hand at most, so that a worker that is
// done need not wait for a slower one before it.
template <typename Part>
void run_in_order(std::size_t worker_count, const PartWork<Part>& steps) {
  struct Done {
    std::unique_ptr<Part> part;
    std::exception_ptr error;
  };
  std::mutex taking;
  std::mutex mutex;  // of what follows
  std::condition_variable part_is_idle;
  std::condition_variable worker_ended;
  std::vector<std::unique_ptr<Part>> idle;
  std::map<std::size_t, Done> done;  // by the part's number
  std::size_t taken = 0;
  std::size_t given = 0;
  bool is_giving = false;
  std::size_t running = worker_count;
  std::exception_ptr error;
  std::stop_source stop;

  const auto give_all_due = [&](std::unique_lock<std::mutex>& lock) {
    if (is_giving) {
      return;
    }
    is_giving = true;
    while (!error && !done.empty() && done.begin()->first == given) {
      Done next = std::move(done.extract(done.begin()).mapped());
      lock.unlock();
      try {
        if (next.error) {
          std::rethrow_exception(next.error);
        }
        steps.give(*next.part);
        lock.lock();
      } catch (...) {
        lock.lock();
        error = std::current_exception();
        stop.request_stop();
      }
      ++given;
      idle.push_back(std::move(next.part));
      part_is_idle.notify_all();
    }
    is_giving = false;
  };

  // False when there is no more.
  const auto take = [&](Done& next, std::size_t& number) {
    const std::lock_guard one_at_a_time(taking);
    {
      std::unique_lock lock(mutex);
      part_is_idle.wait(lock, [&] { return !idle.empty() || error; });
      if (error) {
        return false;
      }
      next.part = std::move(idle.back());
      idle.pop_back();
    }
    try {
      if (!steps.take(*next.part, stop.get_token())) {
        const std::lock_guard lock(mutex);
        idle.push_back(std::move(next.part));
        return false;
      }
    } catch (...) {
      next.error = std::current_exception();
    }
    number = taken++;
    return true;
  };

  const auto worker = [&] {
    Done next;
    std::size_t number = 0;
    while (take(next, number)) {
      try {
        if (!next.error) {
          steps.work(*next.part);
        }
      } catch (...) {
        next.error = std::current_exception();
      }
      std::unique_lock lock(mutex);
      done.emplace(number, std::exchange(next, {}));
      give_all_due(lock);
    }
    const std::lock_guard lock(mutex);
    --running;
    worker_ended.notify_one();
  };

  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 2 * worker_count; ++i) {
    idle.push_back(std::make_unique<Part>());
  }
  for (std::size_t i = 0; i < worker_count; ++i) {
    try {
      threads.emplace_back(worker);
    } catch (const std::system_error&) {  // no more threads to be had
      if (threads.empty()) {
        throw;
      }
      const std::lock_guard lock(mutex);
      running -= worker_count - i;
      break;
    }
  }
  std::unique_lock lock(mutex);
  while (!worker_ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; })) {
    lock.unlock();
    steps.tick();
    if (is_interrupted() || stop.stop_requested()) {
      for (std::thread& thread : threads) {
        wake(thread.native_handle());
      }
    }
    lock.lock();
  }
  lock.unlock();
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace iris
