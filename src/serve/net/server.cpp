#include "serve/net/server.h"

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
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "error.h"
#include "io/interrupt.h"
#include "serve/log.h"
#include "serve/net/connection.h"
#include "serve/net/tls.h"
#include "serve/net/worker.h"
#include "serve/service.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr int kEnding[] = {SIGTERM, SIGINT, SIGQUIT};
constexpr int kBacklog = 4096;
constexpr std::chrono::milliseconds kWithoutDescriptors(50);  // until accept is tried again
constexpr std::chrono::milliseconds kLookWhileDraining(10);
constexpr std::size_t kRefusedAtOnce = 64;   // connections past the limit that still get a 503
constexpr std::size_t kOwnDescriptors = 32;  // of the model's files, the workers and the log

class Server {
 public:
  Server(const ServerOptions& options, LoadModel load)
      : options_(options),
        log_(options.log_format, options.log_descriptor),
        tls_(options.tls_certificate.empty() ? nullptr : make_tls_context(options.tls_certificate, options.tls_key)),
        service_(options_, std::move(load), contexts_, log_) {
    for (std::size_t i = 0; i < options_.workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(options_, service_));
    }
  }

  int run() {
    for (const int signal : kEnding) {
      signals_.add(signal);
    }
    throw_if_interrupted();  // while the model was loaded
    rlimit descriptors = {};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;  // as many as this process may have
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    listen();
    if (descriptors.rlim_max < options_.max_connections + kOwnDescriptors) {
      log_.message("the limit of open files (ulimit -n), " + std::to_string(descriptors.rlim_max) +
                   ", is too low for --max-connections " + std::to_string(options_.max_connections));
    }
    wait_for_signal();
    accept();
    control_.run();
    log_.flush();
    return status_;
  }

 private:
  void listen() {
    const std::string host = options_.host.find(':') == std::string::npos ? options_.host : "[" + options_.host + "]";
    const std::string place = host + ":" + std::to_string(options_.port);
    Error error;
    tcp::resolver resolver(control_);
    const auto found = resolver.resolve(options_.host, std::to_string(options_.port), error);
    if (error) {
      throw InputError("--host " + options_.host + ": is not an address of this machine: " + error.message());
    }
    const tcp::endpoint endpoint = found.begin()->endpoint();
    try {
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen(kBacklog);
    } catch (const boost::system::system_error& problem) {
      throw InputError(
          place + ": " + problem.code().message() +
          (problem.code() == asio::error::address_in_use ? "; choose another with --port, 0 for a free one" : ""));
    }
    ::dprintf(options_.log_descriptor, "iris: serving %s on %s://%s:%d\n", options_.name.c_str(),
              tls_ ? "https" : "http", host.c_str(), acceptor_.local_endpoint().port());
  }

  Worker& least_busy() {
    return **std::min_element(workers_.begin(), workers_.end(), [](const auto& left, const auto& right) {
      return left->session_count() < right->session_count();
    });
  }

  std::size_t session_count() const {
    return std::accumulate(workers_.begin(), workers_.end(), std::size_t{0},
                           [](std::size_t count, const auto& worker) { return count + worker->session_count(); });
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
        if (!service_.is_draining()) {
          service_.reload();
        }
        wait_for_signal();
        return;
      }
      for (const int ending : kEnding) {
        signals_.remove(ending);  // the next one ends the process
      }
      wait_for_signal();
      status_ = signal == SIGTERM ? 0 : 128 + signal;
      log_.message("ending: answering what was accepted");
      service_.start_draining();
      drain_timer_.expires_after(options_.grace);
      drain_timer_.async_wait([this](const Error&) { stop_accepting(); });
    });
  }

  void stop_accepting() {
    acceptor_.non_blocking(true);
    while (true) {  // connections that the kernel has accepted
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
  asio::io_context control_{1};
  asio::signal_set signals_{control_, SIGHUP};
  Service::Contexts contexts_;
  Service service_;
  ContextThread passes_{contexts_.passes};  // these threads end before the service is destroyed
  ContextThread large_bodies_{contexts_.large_bodies};
  ContextThread loads_{contexts_.loads};
  Acceptor acceptor_{control_};
  asio::steady_timer retry_{control_};
  asio::steady_timer drain_timer_{control_};
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
