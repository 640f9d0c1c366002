#include "serve/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "error.h"
#include "serve/connection.h"
#include "serve/log.h"
#include "serve/service.h"
#include "serve/tls.h"
#include "serve/worker.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kWithoutDescriptors(50);  // until accept is tried again
constexpr std::chrono::milliseconds kLookWhileDraining(10);
constexpr std::size_t kRefusedAtOnce = 64;  // connections past the limit that are still told so

// A context with one thread, as long as this lives.
class Background {
 public:
  Background() : work_(asio::make_work_guard(context)), thread_([this] { context.run(); }) {}
  ~Background() {
    context.stop();
    thread_.join();
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  asio::io_context context{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

void raise_descriptor_limit() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Server {
 public:
  Server(const ServerOptions& options, LoadModel load)
      : options_(options),
        log_(options.log_format),
        tls_(options.tls_certificate.empty() ? nullptr : make_tls_context(options.tls_certificate, options.tls_key)),
        service_(options_, std::move(load), passes_.context, background_.context, log_),
        acceptor_(control_),
        signals_(control_, SIGTERM, SIGINT, SIGHUP),
        retry_(control_),
        drain_timer_(control_) {
    for (std::size_t i = 0; i < options_.workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(options_, service_));
    }
  }

  int run() {
    raise_descriptor_limit();
    listen();
    wait_for_signal();
    accept();
    control_.run();
    log_.flush();
    return status_;
  }

 private:
  void listen() {
    const std::string place = options_.host + ":" + std::to_string(options_.port);
    Error error;
    tcp::resolver resolver(control_);
    const auto found = resolver.resolve(options_.host, std::to_string(options_.port), error);
    if (error) {
      throw InputError("--host " + options_.host + ": is no address of this machine: " + error.message());
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    try {
      acceptor_.bind(endpoint);
    } catch (const boost::system::system_error& problem) {
      throw InputError(
          place + ": " + problem.code().message() +
          (problem.code() == asio::error::address_in_use ? "; choose another with --port, 0 for a free one" : ""));
    }
    acceptor_.listen(kBacklog);
    const std::string host = endpoint.address().is_v6() ? "[" + options_.host + "]" : options_.host;
    std::fprintf(stderr, "iris: serving %s on %s://%s:%d\n", options_.name.c_str(), tls_ ? "https" : "http",
                 host.c_str(), acceptor_.local_endpoint().port());
    std::fflush(stderr);
  }

  Worker& least_busy() {
    return **std::min_element(workers_.begin(), workers_.end(), [](const auto& left, const auto& right) {
      return left->session_count() < right->session_count();
    });
  }

  std::size_t session_count() const {
    std::size_t count = 0;
    for (const auto& worker : workers_) {
      count += worker->session_count();
    }
    return count;
  }

  void accept() {
    Worker& worker = least_busy();
    acceptor_.async_accept(worker.context, [this, &worker](const Error& error, Socket socket) {
      if (!acceptor_.is_open()) {
        return;
      }
      if (!error) {
        admit(worker, std::move(socket));
      } else if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
                 error == asio::error::no_memory || error.value() == ENFILE) {
        retry_.expires_after(kWithoutDescriptors);
        retry_.async_wait([this](const Error&) { accept(); });
        return;
      }
      accept();
    });
  }

  void admit(Worker& worker, Socket socket) {
    const std::size_t count = session_count();
    if (count >= options_.max_connections + kRefusedAtOnce) {
      return;  // closes it
    }
    worker.expect_session();
    start_connection(worker, std::move(socket), tls_.get(),
                     count < options_.max_connections ? Admission::kWelcome : Admission::kOneTooMany);
  }

  void wait_for_signal() {
    signals_.async_wait([this](const Error& error, int signal) {
      if (error) {
        return;
      }
      if (signal == SIGHUP) {
        service_.reload();
        wait_for_signal();
        return;
      }
      signals_.clear();  // so that the next one ends the process
      status_ = signal == SIGINT ? 128 + SIGINT : 0;
      log_.message("ending: answering what was accepted");
      service_.start_draining();
      drain_timer_.expires_after(options_.grace);
      drain_timer_.async_wait([this](const Error&) { stop_accepting(); });
    });
  }

  void stop_accepting() {
    acceptor_.non_blocking(true);
    while (true) {  // what the kernel has accepted for us
      Worker& worker = least_busy();
      Error error;
      Socket socket = acceptor_.accept(worker.context, error);
      if (error) {
        break;
      }
      admit(worker, std::move(socket));
    }
    acceptor_.close();
    retry_.cancel();
    for (const auto& worker : workers_) {
      worker->drain();
    }
    wait_for_sessions();
  }

  void wait_for_sessions() {
    if (session_count() == 0) {
      control_.stop();
      return;
    }
    drain_timer_.expires_after(kLookWhileDraining);
    drain_timer_.async_wait([this](const Error&) { wait_for_sessions(); });
  }

  const ServerOptions options_;
  Log log_;
  std::unique_ptr<TlsContext> tls_;
  Background passes_;
  Background background_;
  Service service_;
  asio::io_context control_{1};
  Acceptor acceptor_;
  asio::signal_set signals_;
  asio::steady_timer retry_;
  asio::steady_timer drain_timer_;
  std::vector<std::unique_ptr<Worker>> workers_;
  int status_ = 0;
};

}  // namespace

int serve(ServerOptions options, LoadModel load) {
  if (options.workers == 0) {
    options.workers = std::max(1U, std::thread::hardware_concurrency());
  }
  return Server(options, std::move(load)).run();
}

}  // namespace iris::serve
