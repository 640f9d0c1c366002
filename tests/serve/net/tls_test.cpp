#include "serve/net/tls.h"

#include <gtest/gtest.h>

#include <string>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

#ifdef IRIS_WITH_TLS
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#endif

namespace iris::serve {
namespace {

#ifdef IRIS_WITH_TLS

// A private key and a certificate of its own, as PEM files in a folder that goes with it.
class Pair {
 public:
  explicit Pair(const char* passphrase = nullptr) {
    EVP_PKEY* key = nullptr;
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr);
    EXPECT_EQ(EVP_PKEY_keygen_init(context), 1);
    EXPECT_EQ(EVP_PKEY_keygen(context, &key), 1);
    X509* made = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key);
    EXPECT_GT(X509_sign(made, key, nullptr), 0);
    BIO* file = BIO_new_file(certificate.c_str(), "w");
    PEM_write_bio_X509(file, made);
    BIO_free(file);
    file = BIO_new_file(private_key.c_str(), "w");
    PEM_write_bio_PrivateKey(file, key, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(), nullptr, 0, nullptr,
                             const_cast<char*>(passphrase));
    BIO_free(file);
    X509_free(made);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
  }

 private:
  test::TempFolder folder_;

 public:
  const std::string certificate = folder_ / "cert.pem";
  const std::string private_key = folder_ / "key.pem";
};

// Without OpenSSL's own reason.
std::string refused(const std::string& certificate, const std::string& key) {
  const std::string message = test::error_of<InputError>([&] { make_tls_context(certificate, key); });
  return message.substr(0, message.rfind(": "));
}

TEST(Tls, TakesACertificateAndItsKey) {
  const Pair pair;
  EXPECT_NE(make_tls_context(pair.certificate, pair.private_key), nullptr);
}

TEST(Tls, RefusesACertificateThatIsNotThere) {
  EXPECT_EQ(refused("/absent", Pair().private_key), "--tls-cert /absent: is not a PEM certificate");
}

TEST(Tls, RefusesAKeyForACertificate) {
  const Pair pair;
  EXPECT_EQ(refused(pair.private_key, pair.private_key),
            "--tls-cert " + pair.private_key + ": is not a PEM certificate");
}

TEST(Tls, RefusesTheKeyOfAnotherCertificate) {
  const Pair pair;
  const Pair other;
  EXPECT_EQ(refused(pair.certificate, other.private_key),
            "--tls-key " + other.private_key + ": is not the certificate's private key, as PEM without a passphrase");
}

TEST(Tls, RefusesAKeyWithAPassphraseAndDoesNotAskForIt) {
  const Pair pair("secret");
  EXPECT_EQ(refused(pair.certificate, pair.private_key),
            "--tls-key " + pair.private_key + ": is not the certificate's private key, as PEM without a passphrase");
}

#else

TEST(Tls, IsRefusedWhereItIsNotBuiltIn) {
  EXPECT_EQ(test::error_of<InputError>([] { make_tls_context("a", "b"); }),
            "--tls-cert: this iris was built without OpenSSL; install libssl-dev and build again, or let a proxy such "
            "as nginx speak TLS");
}

#endif

}  // namespace
}  // namespace iris::serve
