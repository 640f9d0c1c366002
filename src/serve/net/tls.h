// The server's certificate and key.
#pragma once

#include <memory>
#include <string>

#ifdef IRIS_WITH_TLS
#include <boost/asio/ssl.hpp>
#endif

namespace iris::serve {

struct TlsContext {
#ifdef IRIS_WITH_TLS
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
#endif
};

// TLS 1.2 (ECDHE with AES-GCM or ChaCha20 only) and 1.3 with the certificate chain and private key of these PEM files.
// Throws InputError where the files cannot be used, or where this build has no TLS.
std::shared_ptr<TlsContext> make_tls_context(const std::string& certificate, const std::string& key);

}  // namespace iris::serve
