// A thread that serves connections, and what they share.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <future>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "serve/batcher.h"
#include "serve/metrics.h"
#include "serve/options.h"
#include "serve/service.h"

namespace iris::serve {

// A connection as its worker sees it. All members are called on the worker's thread.
class Session {
 public:
  virtual ~Session() = default;

  // Called when the deadline is over.
  virtual void expire() = 0;

  // Called a few times a second.
  virtual void look(Clock::time_point now) = 0;

  // Whether it waits for a request that has not begun.
  virtual bool is_idle() const = 0;

  // When to call expire.
  Clock::time_point deadline = Clock::time_point::max();
};

// Runs a context on a thread of its own. The destructor lets what is under way finish.
class ContextThread {
 public:
  explicit ContextThread(boost::asio::io_context& context)
      : context_(context),
        work_(boost::asio::make_work_guard(context)),
        end_(std::async(std::launch::async, [this] { run(); })) {}
  ~ContextThread() { context_.stop(); }  // and waits for the thread

  // Stops it too. False where what is under way has not finished by then.
  bool ends_by(Clock::time_point time) {
    context_.stop();
    return end_.wait_until(time) == std::future_status::ready;
  }

 private:
  // What a handler had no memory for is lost, and its connection closed. The others go on.
  void run() {
    while (true) {
      try {
        context_.run();
        return;
      } catch (const std::bad_alloc&) {
        std::this_thread::yield();
      }
    }
  }

  boost::asio::io_context& context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::future<void> end_;
};

// Its sockets belong to its context. All members but the constructor, and those marked so, are for its thread only.
class Worker {
 public:
  Worker(const ServerOptions& options, Service& service);

  // For any thread.
  void drain();  // ends idle connections soon
  std::size_t session_count() const { return session_count_; }
  void expect_session() { ++session_count_; }
  void forget_session() { --session_count_; }  // that was expected and never began

  void add(Session* session);
  void remove(Session* session);

  std::string new_request_id();
  const std::string& date() const { return date_; }  // as HTTP writes it

  const ServerOptions& options;
  Service& service;

 private:
  void watch();
  void look_at_sessions();

  // Before the context: its destructor ends sessions, and these remove themselves.
  std::unordered_set<Session*> sessions_;
  std::vector<Session*> late_;
  std::atomic<std::size_t> session_count_ = 0;

 public:
  boost::asio::io_context context;
  std::unique_ptr<Batcher> batcher;

 private:
  boost::asio::steady_timer timer_;
  std::string date_;
  std::mt19937_64 ids_;
  ContextThread thread_;  // last: it uses the others
};

}  // namespace iris::serve
