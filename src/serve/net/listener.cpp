#include "serve/net/listener.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <iterator>
#include <set>
#include <utility>

#include "error.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr std::string_view kUnix = "unix:";

bool is_socket(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

std::string fact_of(const Error& error) {
  return error.message() +
         (error == asio::error::address_in_use ? "; choose another with --port, 0 for a free one" : "");
}

}  // namespace

Listener::Listener(asio::io_context& context, const std::string& host, std::uint16_t port) {
  if (host.starts_with(kUnix)) {
    listen_on_path(context, host.substr(kUnix.size()));
  } else {
    const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
    listen_on_host(context, is_bracketed ? host.substr(1, host.size() - 2) : host, port);
  }
}

Listener::~Listener() {
  if (!path_.empty()) {
    ::unlink(path_.c_str());
  }
}

void Listener::listen_on_path(asio::io_context& context, const std::string& path) {
  const std::string place = "--host unix:" + path + ": ";
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    throw InputError(place + "a socket's path has 1 to " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                     " bytes");
  }
  const asio::local::stream_protocol::endpoint endpoint(path);
  if (is_socket(path)) {  // of a process that was killed, or of one that still serves
    asio::local::stream_protocol::socket other(context);
    Error error;
    if (other.connect(endpoint, error) == asio::error::connection_refused) {
      ::unlink(path.c_str());
    }
  }
  try {
    Acceptor& acceptor = acceptors_.emplace_back(context);
    acceptor.open(endpoint.protocol());
    acceptor.bind(endpoint);
    path_ = path;
    acceptor.listen(kBacklog);
  } catch (const boost::system::system_error& problem) {
    throw InputError(place + problem.code().message());
  }
}

void Listener::listen_on_host(asio::io_context& context, const std::string& host, std::uint16_t port) {
  host_ = host.find(':') == std::string::npos ? host : "[" + host + "]";
  Error error;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error) {
    throw InputError("--host " + host + ": is not an address of this machine: " + error.message());
  }
  Error first_problem;
  std::set<asio::ip::address> seen;
  port_ = port;
  for (const auto& entry : found) {
    const tcp::endpoint endpoint(entry.endpoint().address(), port_);
    if (!seen.insert(endpoint.address()).second) {
      continue;
    }
    Acceptor acceptor(context);
    error = {};
    try {
      acceptor.open(endpoint.protocol());
      acceptor.set_option(tcp::acceptor::reuse_address(true));
      if (endpoint.address().is_v6() && found.size() > 1) {
        acceptor.set_option(asio::ip::v6_only(true));  // the IPv4 address has a socket of its own
      }
      acceptor.bind(endpoint);
      acceptor.listen(kBacklog);
    } catch (const boost::system::system_error& problem) {
      error = problem.code();
    }
    if (!error) {
      if (port_ == 0) {
        const auto its_endpoint = acceptor.local_endpoint();
        port_ = ntohs(endpoint.address().is_v6() ? reinterpret_cast<const sockaddr_in6*>(its_endpoint.data())->sin6_port
                                                 : reinterpret_cast<const sockaddr_in*>(its_endpoint.data())->sin_port);
      }
      acceptors_.push_back(std::move(acceptor));
    } else if (error == asio::error::address_in_use && port != 0) {
      throw InputError(host_ + ":" + std::to_string(port_) + ": " + fact_of(error));
    } else if (!first_problem) {
      first_problem = error;  // another of its addresses may do: many machines have no IPv6
    }
  }
  if (acceptors_.empty()) {
    throw InputError(host_ + ":" + std::to_string(port) + ": " + fact_of(first_problem));
  }
}

std::string Listener::address(const char* scheme) const {
  return path_.empty() ? std::string(scheme) + "://" + host_ + ":" + std::to_string(port_) : "unix:" + path_;
}

void Listener::refuse_new() {
  // On a listening socket the filter sees TCP headers. Drops those that begin a connection: SYN is bit 1 of byte 13.
  sock_filter drop_syn[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF),
  };
  const sock_fprog program = {std::size(drop_syn), drop_syn};
  for (Acceptor& acceptor : acceptors_) {
    if (path_.empty()) {  // where it cannot be set, a caller of this very moment may be reset
      ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    }
  }
  if (!path_.empty()) {
    ::unlink(path_.c_str());
    path_.clear();
  }
}

}  // namespace iris::serve
