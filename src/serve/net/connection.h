// One client's connection: requests in, answers out, in order.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "serve/net/tls.h"
#include "serve/net/worker.h"

namespace iris::serve {

// TCP or a Unix socket.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

enum class Admission {
  kWelcome,
  kOneTooMany,  // one question of health is answered, any other with 503; then it is closed
};

// Serves the connection on its worker's thread until it ends. For any thread. `socket` belongs to the worker's context.
// `tls`: nullptr for plain HTTP. Call worker.expect_session() before.
void start_connection(Worker& worker, Socket socket, std::shared_ptr<TlsContext> tls, Admission admission);

}  // namespace iris::serve
