// iris serve's options, as docs/serving.md and --help explain them.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "serve/log.h"

namespace iris::serve {

inline constexpr std::size_t kLargestMaxBody = 1ULL << 30;  // zlib counts in 32 bits

struct ServerOptions {
  std::string name = "iris";  // the model's, in paths and answers
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;              // 0: a free one
  std::size_t workers = 0;                // 0: as many as there are cores
  std::size_t max_batch_rows = 64;        // of a forward pass
  std::chrono::microseconds max_wait{0};  // for company
  std::size_t max_queue_rows = 1024;      // that wait or are computed
  std::size_t max_body = 16 << 20;        // bytes, unpacked
  std::size_t max_bodies = 256 << 20;     // bytes of all requests at hand together, but one of max_body always
  std::size_t max_connections = 1024;
  std::chrono::milliseconds timeout{30'000};  // for a request to come whole, and an answer to go
  std::chrono::milliseconds grace{0};         // from SIGTERM until the port closes
  std::string api_key;                        // empty: none is asked for
  std::string tls_certificate;                // files, both or neither
  std::string tls_key;
  std::string cors_origin;  // whose pages may ask; empty: no other's
  LogFormat log_format = LogFormat::kText;
  int log_descriptor = STDERR_FILENO;
};

}  // namespace iris::serve
