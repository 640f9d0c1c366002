// One client's connection: requests in, answers out, in order.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "serve/net/tls.h"
#include "serve/net/worker.h"

namespace iris::serve {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

enum class Admission {
  kWelcome,
  kOneTooMany,  // answered with 503 and closed
};

// Serves the connection on its worker's thread until it ends. For any thread. `socket` belongs to the worker's context.
// `tls`: nullptr for plain HTTP; else it must outlive the worker. Call worker.expect_session() before.
void start_connection(Worker& worker, Socket socket, TlsContext* tls, Admission admission);

}  // namespace iris::serve
