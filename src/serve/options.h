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
  std::chrono::microseconds max_wait{0};  // of a pass for more rows
  std::size_t max_queue_rows = 1024;      // waiting or in a pass
  std::size_t max_body = 16 << 20;        // bytes, unpacked
  std::size_t max_memory = 192 << 20;     // bytes of all requests together; at least 4 times max_body
  std::size_t max_connections = 1024;
  std::chrono::milliseconds timeout{30'000};  // for a request to come whole, and for an answer to be taken
  std::chrono::milliseconds grace{0};         // from SIGTERM until the port closes
  std::string api_key;                        // empty: no key is asked for
  std::string tls_certificate;                // files, both or neither
  std::string tls_key;
  std::string cors_origin;  // whose pages may ask; empty: no other origin's
  LogFormat log_format = LogFormat::kText;
  int log_descriptor = STDERR_FILENO;
};

}  // namespace iris::serve
