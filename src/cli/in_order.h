// Parts worked on by many threads, taken and given in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
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
// before is given, nothing behind it is. There are never more parts than workers.
template <typename Part>
void run_in_order(std::size_t worker_count, const PartWork<Part>& steps) {
  struct {
    std::mutex taking;
    std::mutex mutex;  // of what follows
    std::condition_variable changed;
    std::size_t taken = 0;
    std::size_t given = 0;
    std::size_t running = 0;
    std::exception_ptr error;
  } state;
  std::stop_source stop;

  const auto worker = [&] {
    Part part;
    while (true) {
      std::exception_ptr error;
      std::unique_lock taking(state.taking);
      if (stop.stop_requested()) {
        break;
      }
      bool is_there = false;
      try {
        is_there = steps.take(part, stop.get_token());
      } catch (...) {
        error = std::current_exception();
      }
      if (!is_there && !error) {
        break;
      }
      const std::size_t number = state.taken++;
      taking.unlock();
      try {
        if (!error) {
          steps.work(part);
        }
      } catch (...) {
        error = std::current_exception();
      }
      std::unique_lock lock(state.mutex);
      state.changed.wait(lock, [&] { return state.given == number || state.error; });
      if (state.error) {
        break;
      }
      lock.unlock();  // nobody else's turn comes before this one's end
      try {
        if (!error) {
          steps.give(part);
        }
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      ++state.given;
      if (error) {
        state.error = error;
        stop.request_stop();
      }
      state.changed.notify_all();
    }
    const std::lock_guard lock(state.mutex);
    --state.running;
    state.changed.notify_all();
  };

  std::vector<std::thread> threads;
  state.running = worker_count;
  for (std::size_t i = 0; i < worker_count; ++i) {
    try {
      threads.emplace_back(worker);
    } catch (const std::system_error&) {  // no more threads to be had
      if (threads.empty()) {
        throw;
      }
      const std::lock_guard lock(state.mutex);
      state.running -= worker_count - i;
      break;
    }
  }
  std::unique_lock lock(state.mutex);
  while (!state.changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return state.running == 0; })) {
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
  if (state.error) {
    std::rethrow_exception(state.error);
  }
}

}  // namespace iris
