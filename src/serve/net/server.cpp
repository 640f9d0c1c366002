#include "serve/net/server.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/interrupt.h"
#include "serve/log.h"
#include "serve/net/connection.h"
#include "serve/net/listener.h"
#include "serve/net/tls.h"
#include "serve/net/worker.h"
#include "serve/service.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr int kEnding[] = {SIGTERM, SIGINT, SIGQUIT};
constexpr std::chrono::milliseconds kWithoutDescriptors(50);  // until accept is tried again
constexpr std::chrono::milliseconds kLookWhileDraining(10);
constexpr std::chrono::milliseconds kLastHandshakes(50);
constexpr std::chrono::seconds kLastPass(5);
constexpr int kOwnBlocks = 1 << 20;            // bytes: larger blocks are given back to the system when they are freed
constexpr std::size_t kRefusedAtOnce = 64;     // connections past the limit that still get an answer
constexpr std::size_t kSpareDescriptors = 16;  // to load a model, read the certificate, look into /proc

std::size_t open_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  return error ? 0 : static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

// Tells systemd (Type=notify), where it asked. See sd_notify(3).
void notify(std::string_view state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) {
    return;
  }
  const std::size_t length = std::strlen(path);
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') {
    address.sun_path[0] = '\0';  // an abstract socket
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor >= 0) {
    ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
    ::close(descriptor);
  }
}

class Server {
 public:
  Server(const ServerOptions& options, LoadModel load)
      : options_(options),
        log_(options.log_format, options.log_descriptor),
        tls_(load_tls()),
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
    Listener listener(control_, options_.host, options_.port);
    listener_ = &listener;
    limit_connections();
    ::dprintf(options_.log_descriptor, "iris: serving %s on %s\n", options_.name.c_str(),
              listener.address(tls_ ? "https" : "http").c_str());
    notify("READY=1");
    prepare_threads();
    wait_for_signal();
    for (Acceptor& acceptor : listener.acceptors()) {
      accept(acceptor);
    }
    while (true) {
      try {
        control_.run();
        break;
      } catch (const std::bad_alloc&) {
        std::this_thread::yield();
      }
    }
    if (sessions_left_ != 0 || !have_ended()) {
      log_.message("ending, though a pass or a load is still under way");
      log_.flush();
      std::_Exit(status_);
    }
    log_.flush();
    return status_;
  }

 private:
  std::shared_ptr<TlsContext> load_tls() const {
    return options_.tls_certificate.empty() ? nullptr : make_tls_context(options_.tls_certificate, options_.tls_key);
  }

  void prepare_threads() {
    asio::post(contexts_.passes, [this] { service_.prepare_thread(/*serves_connections=*/false); });
    for (const auto& worker : workers_) {
      asio::post(worker->context, [this] { service_.prepare_thread(/*serves_connections=*/true); });
    }
  }

  // Connections leave descriptors for everything else: a model that is loaded again, the figures of /metrics.
  void limit_connections() {
    rlimit descriptors = {};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;  // as many as this process may have
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    const std::size_t own = open_descriptors() + kSpareDescriptors;
    const std::size_t room = descriptors.rlim_max > own ? descriptors.rlim_max - own : 0;
    refused_at_once_ = std::min(kRefusedAtOnce, room / 4);
    const std::size_t most = std::max<std::size_t>(1, room - refused_at_once_);
    if (most < options_.max_connections) {
      log_.message("the limit of open files (ulimit -n), " + std::to_string(descriptors.rlim_max) +
                   ", is too low for --max-connections " + std::to_string(options_.max_connections) + "; " +
                   std::to_string(most) + " are taken");
      options_.max_connections = most;
    }
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

  void accept(Acceptor& acceptor) {
    Worker& worker = least_busy();
    acceptor.async_accept(worker.context, [this, &acceptor, &worker](const Error& error, Socket socket) {
      if (!acceptor.is_open()) {
        return;
      }
      if (!error) {
        admit(worker, std::move(socket));
      } else if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
                 error == asio::error::no_memory || error.value() == ENFILE) {
        retry_.expires_after(kWithoutDescriptors);
        retry_.async_wait([this, &acceptor](const Error& cancelled) {
          if (!cancelled || acceptor.is_open()) {
            accept(acceptor);
          }
        });
        return;
      }
      accept(acceptor);
    });
  }

  void admit(Worker& worker, Socket socket) {
    const std::size_t count = session_count();
    if (count >= options_.max_connections + refused_at_once_) {
      return;  // closes it
    }
    worker.expect_session();
    try {
      start_connection(worker, std::move(socket), tls_,
                       count < options_.max_connections ? Admission::kWelcome : Admission::kOneTooMany);
    } catch (const std::bad_alloc&) {
      worker.forget_session();  // its socket is closed
    }
  }

  void wait_for_signal() {
    signals_.async_wait([this](const Error& error, int signal) {
      if (error) {
        return;
      }
      if (signal == SIGHUP) {
        if (!service_.is_draining()) {
          reload_tls();
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
      notify("STOPPING=1");
      service_.start_draining();
      drain_timer_.expires_after(options_.grace);
      drain_timer_.async_wait([this](const Error&) { stop_accepting(); });
    });
  }

  void reload_tls() {
    if (!tls_) {
      return;
    }
    try {
      tls_ = load_tls();
      log_.message("the certificate was loaded again");
    } catch (const std::exception& error) {
      log_.message("the certificate could not be loaded again: " + std::string(error.what()) +
                   "; the one loaded before still serves");
    }
  }

  // The kernel may have accepted callers that this process has not, and may be about to accept more. All of them are
  // answered; closing the port at once would reset their connections.
  void stop_accepting() {
    listener_->refuse_new();
    drain_timer_.expires_after(kLastHandshakes);
    drain_timer_.async_wait([this](const Error&) { close_port(); });
  }

  void close_port() {
    for (Acceptor& acceptor : listener_->acceptors()) {
      acceptor.non_blocking(true);
      while (true) {
        Worker& worker = least_busy();
        Error error;
        Socket socket = acceptor.accept(worker.context, error);
        if (error) {
          break;
        }
        admit(worker, std::move(socket));
      }
      acceptor.close();
    }
    retry_.cancel();
    for (const auto& worker : workers_) {
      worker->drain();
    }
    wait_for_sessions();
  }

  void wait_for_sessions() {
    const std::size_t count = session_count();
    const auto now = Clock::now();
    if (count != sessions_left_) {
      sessions_left_ = count;
      last_left_ = now;
    }
    const bool is_given_up = count != 0 && now - last_left_ > options_.timeout + kLastPass;
    if (is_given_up) {
      log_.message("callers without an answer: " + std::to_string(count));
      status_ = 1;
    }
    if (count == 0 || is_given_up) {
      control_.stop();
      return;
    }
    drain_timer_.expires_after(kLookWhileDraining);
    drain_timer_.async_wait([this](const Error&) { wait_for_sessions(); });
  }

  // The model may have a pass that never ends, and its thread with it.
  bool have_ended() {
    const auto end = Clock::now() + kLastPass;
    return passes_.ends_by(end) && large_bodies_.ends_by(end) && loads_.ends_by(end);
  }

  ServerOptions options_;
  Log log_;
  std::shared_ptr<TlsContext> tls_;
  asio::io_context control_{1};
  asio::signal_set signals_{control_, SIGHUP};
  Service::Contexts contexts_;
  Service service_;
  ContextThread passes_{contexts_.passes};  // these threads end before the service is destroyed
  ContextThread large_bodies_{contexts_.large_bodies};
  ContextThread loads_{contexts_.loads};
  Listener* listener_ = nullptr;  // lives while the server runs
  std::size_t refused_at_once_ = kRefusedAtOnce;
  asio::steady_timer retry_{control_};
  asio::steady_timer drain_timer_{control_};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t sessions_left_ = 0;
  Clock::time_point last_left_;  // when that number changed, while the server ends
  int status_ = 0;
};

}  // namespace

int serve(ServerOptions options, LoadModel load) {
  // Else the allocator keeps large bodies once they are gone: it learns from them that large blocks are usual. Measured
  // with large bodies from 24 clients: 349 MiB at most, and 752 MiB without it.
  ::mallopt(M_MMAP_THRESHOLD, kOwnBlocks);
  if (options.workers == 0) {
    options.workers = std::max(1U, std::thread::hardware_concurrency());
  }
  return Server(options, std::move(load)).run();
}

}  // namespace iris::serve
