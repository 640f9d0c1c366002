// A thread that serves connections, and what they share.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>

#include "serve/batcher.h"
#include "serve/metrics.h"
#include "serve/options.h"
#include "serve/service.h"

namespace iris::serve {

// A connection, to its worker. All is called on the worker's thread.
class Session {
 public:
  virtual ~Session() = default;

  // What it does has taken too long.
  virtual void expire() = 0;

  // It waits for a request that has not begun.
  virtual bool is_idle() const = 0;

  // When to call expire.
  Clock::time_point deadline = Clock::time_point::max();
};

// The sockets that it serves live in its context; all members but the constructor and those said so are for its thread.
class Worker {
 public:
  Worker(const ServerOptions& options, Service& service);
  ~Worker();  // stops and joins
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Of any thread.
  void drain();  // idle connections end soon
  std::size_t session_count() const { return session_count_; }
  void expect_session() { ++session_count_; }

  void add(Session* session);
  void remove(Session* session);

  std::string new_request_id();
  const std::string& date() const { return date_; }  // as HTTP writes it

  const ServerOptions& options;
  Service& service;

 private:
  void watch();
  void set_date();

  // Sessions leave them when the context goes.
  std::unordered_set<Session*> sessions_;
  std::atomic<std::size_t> session_count_ = 0;

 public:
  boost::asio::io_context context;
  std::unique_ptr<Batcher> batcher;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::string date_;
  std::uint64_t id_state_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace iris::serve
