// A reply that comes when the caller's deadline is over, if nothing else came before.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "serve/metrics.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// Calls `reply` once: with the first answer, or with `late` at the deadline, on the thread of `context`.
class Deadline : public std::enable_shared_from_this<Deadline> {
 public:
  using Reply = std::function<void(Response response)>;

  Deadline(boost::asio::io_context& context, Reply reply) : timer_(context), reply_(std::move(reply)) {}

  // To be called once, by any thread. Does nothing where the answer came before.
  void start(Clock::time_point when, Response late) {
    boost::asio::post(timer_.get_executor(), [self = shared_from_this(), when, late = std::move(late)]() mutable {
      if (self->is_over_) {
        return;
      }
      self->timer_.expires_at(when);
      self->timer_.async_wait([self, late = std::move(late)](const boost::system::error_code& error) mutable {
        if (!error) {
          self->reply(std::move(late));
        }
      });
    });
  }

  // For any thread.
  void answer(Response response) {
    reply(std::move(response));
    boost::asio::post(timer_.get_executor(), [self = shared_from_this()] { self->timer_.cancel(); });
  }

  // Set once there was a reply.
  const std::atomic<bool>& is_over() const { return is_over_; }

 private:
  void reply(Response response) {
    if (!is_over_.exchange(true)) {
      std::exchange(reply_, nullptr)(std::move(response));
    }
  }

  boost::asio::steady_timer timer_;
  Reply reply_;
  std::atomic<bool> is_over_ = false;
};

}  // namespace iris::serve
