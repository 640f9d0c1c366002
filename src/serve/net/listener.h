// Where callers come in: the addresses of one name, or a Unix socket.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace iris::serve {

using Acceptor =
    boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

class Listener {
 public:
  // Listens. `host`: a name or an address, [::1] too; a name of both families ("localhost") is listened to on both.
  // "unix:PATH" is a Unix socket; one that a process left there is replaced, and the destructor removes it. `port`: 0
  // is a free one. Throws InputError where that cannot be.
  Listener(boost::asio::io_context& context, const std::string& host, std::uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // One or more.
  std::vector<Acceptor>& acceptors() { return acceptors_; }

  // "http://127.0.0.1:8080", "unix:/run/iris.sock".
  std::string address(const char* scheme) const;

  // From now on the kernel answers no new connections; those that it has answered can still be accepted. Closing right
  // away would reset them.
  void refuse_new();

 private:
  void listen_on_path(boost::asio::io_context& context, const std::string& path);
  void listen_on_host(boost::asio::io_context& context, const std::string& host, std::uint16_t port);

  std::vector<Acceptor> acceptors_;
  std::string path_;  // of the Unix socket
  std::string host_;  // as in a URL
  std::uint16_t port_ = 0;
};

}  // namespace iris::serve
