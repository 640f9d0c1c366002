#include "serve/net/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "serve/net/http.h"
#include "serve/net/peer.h"
#include "serve/protocol/response.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr std::size_t kSmallBuffer = 4 << 10;
constexpr std::size_t kLargeBuffer = 64 << 10;   // for bodies
constexpr std::size_t kCountedBuffer = 8 << 10;  // smaller ones do not count in the memory of all requests
static_assert(kLargeBuffer > kMostHeaderBytes);
constexpr std::chrono::seconds kLinger(1);             // for the client to read its last answer
constexpr std::chrono::seconds kPatience(1);           // with who is one too many and says nothing
constexpr std::chrono::seconds kHalfClosed(1);         // a caller that has sent all it will may still read for so long
constexpr std::chrono::milliseconds kLongAnswer(100);  // then it is worth asking whether the caller still waits
constexpr std::size_t kMostId = 128;

std::size_t counted(std::size_t capacity) { return capacity > kCountedBuffer ? capacity : 0; }

void free_large(std::string& buffer) {
  if (buffer.capacity() > kCountedBuffer) {
    std::string().swap(buffer);  // assigning an empty one would keep the memory
  }
}

bool is_health(Route route) { return route == Route::kLive || route == Route::kReady; }

// Whether it may stand in a log line and in a header.
bool is_plain(std::string_view text) {
  return text.size() <= kMostId && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

template <class Stream>
class Connection final : public Session, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Worker& worker, Stream stream, Admission admission)
      : worker_(worker), stream_(std::move(stream)), admission_(admission), memory_(worker.service.memory) {
    worker_.add(this);
  }
  ~Connection() override { worker_.remove(this); }

  void start() {
    Error error;
    const auto peer = socket().remote_endpoint(error);
    is_from_loopback_ = !error && is_on_this_machine(peer.data());
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
    const bool is_silent = phase_ == Phase::kIdle && admission_ == Admission::kOneTooMany;
    if (phase_ == Phase::kReading || is_silent) {  // the read ends, and on_read tells the client
      is_late_ = true;
      Error ignored;
      socket().cancel(ignored);
    } else if (phase_ == Phase::kIdle && !is_tls) {
      linger();  // a request may be on its way, and closing would reset the connection
    } else {
      close();
    }
  }

  void look(Clock::time_point now) override {
    if (phase_ == Phase::kIdle && now - arrived_ > kPatience) {
      free_large(request_.body);
      free_large(out_);
      account();
    } else if (phase_ == Phase::kAnswering && now - arrived_ > kLongAnswer && !request_.has_left.is_set) {
      const PeerState peer = peer_state(socket().native_handle());
      const bool has_left =
          peer == PeerState::kGone || (peer == PeerState::kHalfClosed && now - arrived_ > kHalfClosed);
      if (has_left) {
        request_.has_left.is_set = true;
      }
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

  // Calls `step`. Where there is no memory for it, the client gets a 503 if there is enough for that.
  template <class Step>
  void guarded(const Step& step) {
    try {
      step();
    } catch (const std::bad_alloc&) {
      out_of_memory();
    } catch (const std::length_error&) {
      out_of_memory();
    }
  }

  void out_of_memory() {
    is_running_ = false;
    if (phase_ == Phase::kWriting || phase_ == Phase::kClosing) {
      close();
      return;
    }
    for (std::string* buffer : {&in_, &request_.body, &out_}) {
      std::string().swap(*buffer);
    }
    begin_ = end_ = 0;
    account();
    try {
      refuse(RequestError(503, "there is not enough memory for this request; try again"));
    } catch (const std::exception&) {
      close();
    }
  }

  void greet() {
    phase_ = Phase::kIdle;
    if (admission_ == Admission::kOneTooMany) {
      deadline = std::min(deadline, Clock::now() + kPatience);
    }
    guarded([this] { read(); });
  }

  RequestError one_too_many() const {
    return RequestError(503, "there are " + std::to_string(worker_.options.max_connections) +
                                 " connections, as many as this server takes; try again");
  }

  // What counts in the memory of all requests.
  std::size_t held() const {
    // A string may reserve twice its size. A body never uses what it reserves beyond its limit.
    return counted(in_.capacity()) + counted(std::min(request_.body.capacity(), worker_.options.max_body)) +
           counted(out_.capacity());
  }

  // Returns false where there is no room for it.
  bool account() {
    const std::size_t bytes = held();
    return bytes == memory_.bytes() || memory_.resize(bytes);
  }

  void read() {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      const bool has_head = parser_ && parser_->has_head();
      if (!has_head) {
        free_large(in_);
      }
      in_.resize(has_head ? kLargeBuffer : kSmallBuffer);
    } else if (end_ == in_.size()) {
      std::copy(in_.begin() + static_cast<std::ptrdiff_t>(begin_), in_.end(), in_.begin());
      end_ -= begin_;
      begin_ = 0;
      in_.resize(std::max(in_.size(), end_ * 2));
    }
    is_reading_ = true;
    stream_.async_read_some(
        asio::buffer(in_.data() + end_, in_.size() - end_),
        [self = this->shared_from_this()](const Error& error, std::size_t count) { self->on_read(error, count); });
  }

  void on_read(const Error& error, std::size_t count) {
    is_reading_ = false;
    if (phase_ == Phase::kClosing) {  // it lingers
      error ? close() : discard();
      return;
    }
    end_ += count;
    guarded([&] {
      if (is_late_) {
        refuse(admission_ == Admission::kOneTooMany
                   ? one_too_many()
                   : RequestError(408, "the request did not come whole within " +
                                           std::to_string(worker_.options.timeout.count()) + " ms"));
      } else if (error) {
        close();
      } else {
        run();
      }
    });
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
      if (!account()) {
        throw RequestError(503, ParseLimits::kRequestsAreLarge);
      }
      if (!had_head && parser_->has_head()) {
        request_.is_from_loopback = is_from_loopback_;
        if (admission_ == Admission::kOneTooMany && !is_health(match_route(request_.target).route)) {
          throw one_too_many();
        }
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
                        error ? self->on_read(error, 0) : self->guarded([&] { self->run(); });
                      });
  }

  void answer() {
    phase_ = Phase::kAnswering;
    deadline = Clock::time_point::max();
    arrived_ = Clock::now();
    try {
      worker_.service.handle(request_, *worker_.batcher, [self = this->shared_from_this()](Response response) {
        asio::dispatch(self->worker_.context, [self, response = std::move(response)]() mutable {
          self->guarded([&] { self->respond(std::move(response), self->request_.keep_alive); });
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
    keep_alive_ = keep_alive && !worker_.service.is_draining() && admission_ == Admission::kWelcome;
    out_.clear();
    write_response(response, request_, worker_.date(), keep_alive_, out_);
    if (out_.size() > kLargeBuffer) {  // a client may be slow to take it
      free_large(request_.body);
      if (!account()) {
        response = error_response(503, ParseLimits::kRequestsAreLarge);
        std::string().swap(out_);
        write_response(response, request_, worker_.date(), keep_alive_, out_);
        account();
      }
    }
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
                        error ? self->close() : self->guarded([&] { self->on_written(); });
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
    parser_.reset();
    if (out_.capacity() > kLargeBuffer) {
      std::string().swap(out_);  // assigning an empty one would keep the memory
    }
    account();
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
      const bool is_reading = is_reading_;
      Error ignored;
      stream_.shutdown(Socket::shutdown_send, ignored);
      if (!is_reading) {
        discard();
      }
    }
  }

  void discard() {
    in_.resize(std::max(in_.size(), kMostHeaderBytes));
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
  bool is_reading_ = false;
  bool is_asked_to_continue_ = false;
  bool keep_alive_ = true;
  Clock::time_point arrived_;

  std::string in_;         // what was read
  std::size_t begin_ = 0;  // of what is not taken yet, in in_
  std::size_t end_ = 0;
  Request request_;
  MemoryBudget::Share memory_;           // of the buffers
  std::optional<RequestParser> parser_;  // of the request that is being read
  std::string out_;
};

template <class Stream>
void start(Worker& worker, Stream stream, Admission admission, bool& is_made) {
  // The last holder may be another thread, which has just answered. The connection must end on its worker's thread.
  const auto end_on_its_thread = [&worker](Connection<Stream>* connection) {
    asio::dispatch(worker.context, [owned = std::unique_ptr<Connection<Stream>>(connection)] {});
  };
  auto* const made = new Connection<Stream>(worker, std::move(stream), admission);
  is_made = true;
  std::shared_ptr<Connection<Stream>>(made, end_on_its_thread)->start();
}

}  // namespace

void start_connection(Worker& worker, Socket socket, std::shared_ptr<TlsContext> tls, Admission admission) {
  asio::dispatch(worker.context, [&worker, socket = std::move(socket), tls = std::move(tls), admission]() mutable {
    bool is_made = false;
    try {
#ifdef IRIS_WITH_TLS
      if (tls != nullptr) {
        start(worker, asio::ssl::stream<Socket>(std::move(socket), tls->context), admission, is_made);
        return;
      }
#endif
      start(worker, std::move(socket), admission, is_made);
    } catch (const std::exception&) {  // there is no memory for it, and it is closed
      if (!is_made) {
        worker.forget_session();
      }
    }
  });
}

}  // namespace iris::serve
