#include "serve/net/tls.h"

#include "error.h"

namespace iris::serve {

#ifdef IRIS_WITH_TLS

namespace {

// Of TLS 1.2: with forward secrecy (no RSA key exchange) and authenticated (no CBC). TLS 1.3 has no others.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

}  // namespace

std::shared_ptr<TlsContext> make_tls_context(const std::string& certificate, const std::string& key) {
  using boost::asio::ssl::context;
  auto tls = std::make_shared<TlsContext>();
  tls->context.set_options(context::default_workarounds | context::no_sslv2 | context::no_sslv3 | context::no_tlsv1 |
                           context::no_tlsv1_1 | context::no_compression | SSL_OP_NO_RENEGOTIATION |
                           SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_cipher_list(tls->context.native_handle(), kCiphers);
  try {
    tls->context.use_certificate_chain_file(certificate);
  } catch (const boost::system::system_error& error) {
    throw InputError("--tls-cert " + certificate + ": is not a PEM certificate: " + error.code().message());
  }
  // Otherwise OpenSSL would ask at the terminal.
  tls->context.set_password_callback([](std::size_t, context::password_purpose) { return std::string(); });
  try {
    tls->context.use_private_key_file(key, context::pem);
  } catch (const boost::system::system_error& error) {
    throw InputError("--tls-key " + key +
                     ": is not the certificate's private key, as PEM without a passphrase: " + error.code().message());
  }
  return tls;
}

#else

std::shared_ptr<TlsContext> make_tls_context(const std::string&, const std::string&) {
  throw InputError(
      "--tls-cert: this iris was built without OpenSSL; install libssl-dev and build again, or let a proxy "
      "such as nginx speak TLS");
}

#endif

}  // namespace iris::serve
