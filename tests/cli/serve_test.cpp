#include "cli/serve.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/command_line.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using serve::ServerOptions;

template <typename Member>
ServeOptions with(Member ServerOptions::*member, const Member& value) {
  ServeOptions typed;
  typed.server.*member = value;
  return typed;
}

std::string usage_error(const ServeOptions& typed) {
  return test::error_of<UsageError>([&] { settled(typed); });
}

ServeOptions with_key_file(const std::string& path) {
  ServeOptions typed;
  typed.key_file = path;
  return typed;
}

std::string key_error(const std::string& path) {
  return test::error_of<Error>([&] { settled(with_key_file(path)); });
}

std::string origin_error(const std::string& origin) { return usage_error(with(&ServerOptions::cors_origin, origin)); }

TEST(ServeOptions, AreGoodByDefault) { EXPECT_EQ(usage_error({}), ""); }

TEST(ServeOptions, HaveTheTypedTimes) {
  ServeOptions typed;
  typed.max_wait_us = 250;
  typed.timeout_s = 0.5;
  typed.grace_s = 2;
  const ServerOptions server = settled(typed);
  EXPECT_EQ(server.max_wait, std::chrono::microseconds(250));
  EXPECT_EQ(server.timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(server.grace, std::chrono::seconds(2));
}

TEST(ServeOptions, WaitThirtySecondsForARequestByDefault) { EXPECT_EQ(settled({}).timeout, std::chrono::seconds(30)); }

TEST(ServeOptions, RefuseASlashInTheName) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::name, "a/b")),
            "--name: must be UTF-8 without slashes and control characters, got \"a/b\"");
}

TEST(ServeOptions, RefuseAnEmptyName) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::name, "")),
            "--name: must be UTF-8 without slashes and control characters, got \"\"");
}

TEST(ServeOptions, RefuseANameThatIsNotUtf8) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::name, "a\xFF")),
            "--name: must be UTF-8 without slashes and control characters, got \"a\\xff\"");
}

TEST(ServeOptions, TakeANameBeyondAscii) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::name, "ürün")), "");
}

TEST(ServeOptions, RefuseACertificateWithoutItsKey) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::tls_certificate, "chain.pem")),
            "--tls-cert and --tls-key belong together; give both");
}

TEST(ServeOptions, RefuseAKeyWithoutItsCertificate) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::tls_key, "key.pem")),
            "--tls-cert and --tls-key belong together; give both");
}

TEST(ServeOptions, RefuseAnEmptyHost) {
  EXPECT_EQ(usage_error(with<std::string>(&ServerOptions::host, "")),
            "--host: is empty; give an address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0, or unix:PATH");
}

TEST(ServeOrigin, MayBeAnyOne) { EXPECT_EQ(origin_error("*"), ""); }

TEST(ServeOrigin, MayHaveAPort) { EXPECT_EQ(origin_error("http://localhost:3000"), ""); }

TEST(ServeOrigin, MayBeAnIpv6Address) { EXPECT_EQ(origin_error("https://[::1]:8443"), ""); }

TEST(ServeOrigin, HasNoPath) {
  EXPECT_EQ(origin_error("https://example.org/"),
            "--cors-origin: must be as browsers write it, https://example.org without a path, or *; got "
            "\"https://example.org/\"");
}

TEST(ServeOrigin, HasAScheme) {
  EXPECT_EQ(origin_error("example.org"),
            "--cors-origin: must be as browsers write it, https://example.org without a path, or *; got "
            "\"example.org\"");
}

TEST(ServeOrigin, HasAHost) {
  EXPECT_EQ(origin_error("https://"),
            "--cors-origin: must be as browsers write it, https://example.org without a path, or *; got \"https://\"");
}

TEST(ServeKey, IsTheLineInTheFile) {
  const test::TempFolder folder;
  test::write_file(folder / "key", "secret\r\n");
  EXPECT_EQ(settled(with_key_file(folder / "key")).api_key, "secret");
}

TEST(ServeKey, HasNoBlanks) {
  const test::TempFolder folder;
  test::write_file(folder / "key", "two words\n");
  EXPECT_EQ(key_error(folder / "key"), "--api-key-file " + (folder / "key") +
                                           ": has to hold one line, the key, of printable ASCII without blanks");
}

TEST(ServeKey, IsOneLine) {
  const test::TempFolder folder;
  test::write_file(folder / "key", "one\ntwo\n");
  EXPECT_EQ(key_error(folder / "key"), "--api-key-file " + (folder / "key") +
                                           ": has to hold one line, the key, of printable ASCII without blanks");
}

TEST(ServeKey, IsNotEmpty) {
  const test::TempFolder folder;
  test::write_file(folder / "key", "\n");
  EXPECT_EQ(key_error(folder / "key"), "--api-key-file " + (folder / "key") +
                                           ": has to hold one line, the key, of printable ASCII without blanks");
}

TEST(ServeKey, IsInAFileNotAFolder) {
  const test::TempFolder folder;
  EXPECT_EQ(key_error(folder / ""), "--api-key-file " + (folder / "") + ": is a directory; name the file with the key");
}

TEST(ServeKey, IsInAFileThatIsThere) {
  const test::TempFolder folder;
  EXPECT_EQ(key_error(folder / "key"), "--api-key-file " + (folder / "key") + ": No such file or directory");
}

TEST(ServeVerb, ChecksTheOptionsBeforeItLoadsAnything) {
  EXPECT_EQ(test::usage_error(add_serve, {"serve", "m.pt", "--tls-key", "key.pem"}),
            "--tls-cert and --tls-key belong together; give both");
}

TEST(ServeVerb, RefusesAnotherLogFormat) {
  EXPECT_EQ(test::usage_error(add_serve, {"serve", "m.pt", "--log-format", "xml"}),
            "--log-format: xml not in {text,json}");
}

TEST(ServeVerb, RefusesAPortPastTheLast) {
  EXPECT_EQ(test::usage_error(add_serve, {"serve", "m.pt", "--port", "65536"}),
            "--port: must be a whole number from 0 to 65535, got \"65536\"");
}

TEST(ServeVerb, RefusesATimeoutOfNoTime) {
  EXPECT_EQ(test::usage_error(add_serve, {"serve", "m.pt", "--timeout-s", "0"}),
            "--timeout-s: must be from 0.05 to 86400, got \"0\"");
}

}  // namespace
}  // namespace iris
