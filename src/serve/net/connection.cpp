#include "serve/net/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "serve/net/http.h"
#include "serve/protocol/response.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr std::size_t kSmallBuffer = 4 << 10;
constexpr std::size_t kLargeBuffer = 64 << 10;  // for bodies; larger ones count in the budget of all
static_assert(kLargeBuffer > kMostHeaderBytes);
constexpr std::chrono::seconds kLinger(1);  // for the client to read its last answer
constexpr std::size_t kMostId = 128;

// Whether it may stand in a log line and in a header.
bool is_plain(std::string_view text) {
  return text.size() <= kMostId && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

template <class Stream>
class Connection final : public Session, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Worker& worker, Stream stream, Admission admission)
      : worker_(worker), stream_(std::move(stream)), admission_(admission), body_share_(worker.service.bodies) {
    worker_.add(this);
  }
  ~Connection() override { worker_.remove(this); }

  void start() {
    Error error;
    auto peer = socket().remote_endpoint(error).address();
    if (peer.is_v6() && peer.to_v6().is_v4_mapped()) {
      peer = asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6());
    }
    is_from_loopback_ = peer.is_loopback();
    socket().set_option(asio::ip::tcp::no_delay(true), error);
    socket().non_blocking(true, error);
    deadline = std::min(deadline, Clock::now() + worker_.options.timeout);
    if constexpr (is_tls) {
      phase_ = Phase::kOpening;
      stream_.async_handshake(Stream::server, [self = this->shared_from_this()](const Error& failure) {
        failure ? self->close() : self->greet();
      });
    } else {
      greet();
    }
  }

  void expire() override {
    deadline = Clock::time_point::max();
    if (phase_ == Phase::kReading) {  // the read ends, and on_read tells the client
      is_late_ = true;
      Error ignored;
      socket().cancel(ignored);
    } else {
      close();
    }
  }

  bool is_idle() const override { return phase_ == Phase::kIdle; }

 private:
  enum class Phase { kOpening, kIdle, kReading, kAnswering, kWriting, kClosing };
  static constexpr bool is_tls = !std::is_same_v<Stream, Socket>;

  Socket& socket() {
    if constexpr (is_tls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  void greet() {
    phase_ = Phase::kIdle;
    if (admission_ == Admission::kOneTooMany) {
      refuse(RequestError(503, "there are " + std::to_string(worker_.options.max_connections) +
                                   " connections, as many as this server takes; try again"));
    } else {
      read();
    }
  }

  void read() {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      in_.resize(parser_ && parser_->has_head() ? kLargeBuffer : kSmallBuffer);
    } else if (end_ == in_.size()) {
      std::copy(in_.begin() + static_cast<std::ptrdiff_t>(begin_), in_.end(), in_.begin());
      end_ -= begin_;
      begin_ = 0;
      in_.resize(std::max(in_.size(), end_ * 2));
    }
    stream_.async_read_some(
        asio::buffer(in_.data() + end_, in_.size() - end_),
        [self = this->shared_from_this()](const Error& error, std::size_t count) { self->on_read(error, count); });
  }

  void on_read(const Error& error, std::size_t count) {
    end_ += count;
    if (is_late_) {
      refuse(RequestError(
          408, "the request did not come whole within " + std::to_string(worker_.options.timeout.count()) + " ms"));
    } else if (error) {
      close();
    } else {
      run();
    }
  }

  // Answers the requests that have come whole, one after the other, until bytes are missing or an answer takes longer.
  void run() {
    is_running_ = true;
    while (phase_ == Phase::kIdle || phase_ == Phase::kReading) {
      try {
        if (!take_request()) {
          is_asked_to_continue_ ? send_continue() : read();
          break;
        }
      } catch (const RequestError& error) {
        refuse(error);
        break;
      }
      answer();
    }
    is_running_ = false;
  }

  // Whether a whole request is there.
  bool take_request() {
    if (phase_ == Phase::kIdle) {
      while (end_ - begin_ >= 2 && in_[begin_] == '\r' && in_[begin_ + 1] == '\n') {
        begin_ += 2;  // an empty line after the last body: older clients send it
      }
      if (begin_ == end_) {
        return false;
      }
      phase_ = Phase::kReading;
      deadline = Clock::now() + worker_.options.timeout;
      parser_.emplace(request_, worker_.options.max_body);
    }
    while (begin_ < end_ && !parser_->is_complete()) {
      const bool had_head = parser_->has_head();
      const std::size_t taken = parser_->take(std::string_view(in_.data() + begin_, end_ - begin_));
      begin_ += taken;
      // A string may reserve twice its size. It never uses what it reserves beyond the limit.
      const std::size_t room = std::min(request_.body.capacity(), worker_.options.max_body);
      if (request_.body.size() > kLargeBuffer && !body_share_.resize(room)) {
        throw RequestError(503, "the bodies of all requests together are as large as this server takes; try again");
      }
      if (!had_head && parser_->has_head()) {
        request_.is_from_loopback = is_from_loopback_;
        worker_.service.check_head(request_);
        is_asked_to_continue_ = !request_.expect.empty() && !parser_->is_complete();
        if (is_asked_to_continue_) {
          return false;
        }
      } else if (taken == 0) {
        break;
      }
    }
    return parser_->is_complete();
  }

  void send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    is_asked_to_continue_ = false;
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = this->shared_from_this()](const Error& error, std::size_t) {
                        error ? self->on_read(error, 0) : self->run();
                      });
  }

  void answer() {
    phase_ = Phase::kAnswering;
    deadline = Clock::time_point::max();
    arrived_ = Clock::now();
    try {
      worker_.service.handle(request_, *worker_.batcher, [self = this->shared_from_this()](Response response) {
        asio::dispatch(self->worker_.context, [self, response = std::move(response)]() mutable {
          self->respond(std::move(response), self->request_.keep_alive);
        });
      });
    } catch (const std::exception& error) {
      respond(error_response(error), request_.keep_alive);
    }
  }

  // Answers with the error and closes: nobody knows where the next request begins.
  void refuse(const RequestError& error) {
    arrived_ = Clock::now();
    try {
      request_.match = match_route(request_.target);  // for the log: the head may not have been checked
    } catch (const RequestError&) {
      request_.match = RouteMatch();
    }
    respond(error_response(error), false);
  }

  void respond(Response response, bool keep_alive) {
    if (phase_ == Phase::kClosing) {
      return;  // the client has gone
    }
    if (request_.request_id.empty() || !is_plain(request_.request_id)) {
      request_.request_id = worker_.new_request_id();
    }
    if (!is_plain(request_.traceparent)) {
      request_.traceparent.clear();
    }
    worker_.service.complete(request_, response);
    keep_alive_ = keep_alive && !worker_.service.is_draining();
    out_.clear();
    write_response(response, request_, worker_.date(), keep_alive_, out_);
    worker_.service.finished(request_, response, Clock::now() - arrived_);
    write();
  }

  void write() {
    phase_ = Phase::kWriting;
    std::size_t written = 0;
    if constexpr (!is_tls) {  // most often the socket takes it all at once
      Error error;
      written = stream_.write_some(asio::buffer(out_), error);
      if (error && error != asio::error::would_block && error != asio::error::try_again) {
        close();
        return;
      }
      if (written == out_.size()) {
        on_written();
        return;
      }
    }
    deadline = Clock::now() + worker_.options.timeout;
    asio::async_write(stream_, asio::buffer(out_.data() + written, out_.size() - written),
                      [self = this->shared_from_this()](const Error& error, std::size_t) {
                        error ? self->close() : self->on_written();
                      });
  }

  void on_written() {
    if (!keep_alive_) {
      linger();
      return;
    }
    phase_ = Phase::kIdle;
    deadline = Clock::now() + worker_.options.timeout;
    request_.clear();
    body_share_.resize(0);
    parser_.reset();
    if (out_.capacity() > kLargeBuffer) {
      std::string().swap(out_);  // assigning an empty one would keep the memory
    }
    if (!is_running_) {
      run();
    }
  }

  // Closing a socket with unread bytes resets it: the client might lose the answer. So the rest is read first.
  void linger() {
    phase_ = Phase::kClosing;
    deadline = Clock::now() + kLinger;
    if constexpr (is_tls) {
      stream_.async_shutdown([self = this->shared_from_this()](const Error&) { self->close(); });
    } else {
      Error ignored;
      stream_.shutdown(Socket::shutdown_send, ignored);
      discard();
    }
  }

  void discard() {
    in_.resize(kLargeBuffer);
    stream_.async_read_some(asio::buffer(in_), [self = this->shared_from_this()](const Error& error, std::size_t) {
      error ? self->close() : self->discard();
    });
  }

  void close() {
    phase_ = Phase::kClosing;
    deadline = Clock::time_point::max();
    Error ignored;
    socket().close(ignored);
  }

  Worker& worker_;
  Stream stream_;
  Admission admission_;
  Phase phase_ = Phase::kIdle;
  bool is_from_loopback_ = false;
  bool is_late_ = false;     // the request that is being read
  bool is_running_ = false;  // in run()
  bool is_asked_to_continue_ = false;
  bool keep_alive_ = true;
  Clock::time_point arrived_;

  std::string in_;         // what was read
  std::size_t begin_ = 0;  // of what is not taken yet, in in_
  std::size_t end_ = 0;
  Request request_;
  BodyBudget::Share body_share_;         // of request_'s body
  std::optional<RequestParser> parser_;  // of the request that is being read
  std::string out_;
};

template <class Stream>
void start(Worker& worker, Stream stream, Admission admission) {
  // The last holder may be another thread, which has just answered. The connection must end on its worker's thread.
  const auto end_on_its_thread = [&worker](Connection<Stream>* connection) {
    asio::dispatch(worker.context, [owned = std::unique_ptr<Connection<Stream>>(connection)] {});
  };
  auto* const made = new Connection<Stream>(worker, std::move(stream), admission);
  std::shared_ptr<Connection<Stream>>(made, end_on_its_thread)->start();
}

}  // namespace

void start_connection(Worker& worker, Socket socket, TlsContext* tls, Admission admission) {
  asio::dispatch(worker.context, [&worker, socket = std::move(socket), tls, admission]() mutable {
#ifdef IRIS_WITH_TLS
    if (tls != nullptr) {
      start(worker, asio::ssl::stream<Socket>(std::move(socket), tls->context), admission);
      return;
    }
#endif
    start(worker, std::move(socket), admission);
  });
}

}  // namespace iris::serve
