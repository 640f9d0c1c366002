// Parts worked on by many threads, taken and given in order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace iris {

// At most twice as many parts as workers are in use, so that a worker that is done need not wait for a slower one
// before it. A part is used again once it was given.
class InOrder {
 public:
  // What one worker has in hand.
  class Part {
   public:
    virtual ~Part() = default;

    // Takes the next part of the input in place of what this one held; false when there is no more, or when asked to
    // stop. One thread at a time.
    virtual bool take(const std::stop_token& stop) = 0;
    // Any number of threads at once, each on its own part.
    virtual void work() = 0;
    // One thread at a time, in the order in which the parts were taken.
    virtual void give() = 0;
  };

  // make_part: called twice for each worker, by the caller's thread. worker_count: at least 1.
  InOrder(std::size_t worker_count, const std::function<std::unique_ptr<Part>()>& make_part);
  InOrder(const InOrder&) = delete;
  InOrder& operator=(const InOrder&) = delete;

  // Call once. Returns once every part has been given. The first exception, in the order of the parts, ends the run and
  // is rethrown: the parts before it are given, those after it are not. tick: called by the caller's thread every tenth
  // of a second; it must not throw. A signal that was noted (io/interrupt.h) wakes the threads. Throws
  // std::system_error where not even one thread can be started.
  void run(const std::function<void()>& tick);

 private:
  struct Taken {
    std::unique_ptr<Part> part;
    std::exception_ptr error;  // of take() or work()
    std::size_t number = 0;
  };

  bool take(Taken& taken);
  void give_all_due(std::unique_lock<std::mutex>& lock);
  void work_until_no_more();

  const std::size_t worker_count_;
  std::stop_source stop_;
  std::mutex taking_;
  std::size_t taken_count_ = 0;  // under taking_
  std::mutex mutex_;             // of what follows
  std::condition_variable part_is_idle_;
  std::condition_variable worker_ended_;
  std::vector<std::unique_ptr<Part>> idle_;
  std::map<std::size_t, Taken> done_;  // by number
  std::size_t given_count_ = 0;
  bool is_giving_ = false;
  std::size_t running_ = 0;  // workers
  std::exception_ptr error_;
};

}  // namespace iris
