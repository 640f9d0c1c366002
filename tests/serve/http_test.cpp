#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "serve/http.h"
#include "serve/options.h"
#include "serve/request_parser.h"
#include "serve/routes.h"

namespace iris::serve {
namespace {

constexpr std::size_t kMaxBody = 100;

// Parses what comes in pieces of `step` bytes. "METHOD target body" of a whole request, "more" of one that is not, or
// the status and message of its refusal.
std::string parsed(std::string_view bytes, std::size_t step = 1 << 20) {
  Request request;
  RequestParser parser(request, kMaxBody);
  std::string waiting;
  try {
    while (!parser.is_complete() && !bytes.empty()) {
      waiting += bytes.substr(0, step);
      bytes.remove_prefix(std::min(step, bytes.size()));
      for (std::size_t taken = 1; taken != 0 && !waiting.empty() && !parser.is_complete();) {
        taken = parser.take(waiting);
        waiting.erase(0, taken);
      }
    }
  } catch (const RequestError& error) {
    return std::to_string(error.status) + " " + error.what();
  }
  return parser.is_complete() ? request.method + " " + request.target + " " + request.body : "more";
}

TEST(RequestParser, TakesARequestCutAnywhere) {
  for (std::size_t step = 1; step < 80; ++step) {
    EXPECT_EQ(parsed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", step), "POST /a hello");
    EXPECT_EQ(parsed("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
                     step),
              "POST /a hello");
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: h\r\n\r\n", step), "GET / ");
  }
}

TEST(RequestParser, RefusesWhatSmugglingLivesOn) {
  const auto refused = [](const std::string& headers) {
    return parsed("POST / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n0\r\n\r\n").substr(0, 4);
  };
  for (const char* headers : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                              "Content-Length: 5\r\nContent-Length: 6\r\n",
                              "Content-Length: 5\r\nContent-Length: 5\r\n",
                              "Content-Length: 5, 5\r\n",
                              "Content-Length: -1\r\n",
                              "Content-Length: +1\r\n",
                              "Content-Length: 0x5\r\n",
                              "Content-Length: 1 \t1\r\n",
                              "Content-Length: 99999999999999999999\r\n",
                              "Transfer-Encoding: identity\r\n",
                              "Transfer-Encoding: gzip, chunked\r\n",
                              "Transfer-Encoding: chunked, identity\r\n",
                              "Transfer-Encoding: xchunked\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Content-Length : 5\r\n",
                              "Host: other\r\n",
                              "A: b\nContent-Length: 5\r\n",
                              "A\r\n",
                              ": b\r\n",
                              "A: \x01\r\n",
                              "Content-Length:\r\n 5\r\n",
                              "Transfer-Encoding:\r\n\tchunked\r\n",
                              "A: b\r\n c\r\n",
                              "A: b\r\n \r\n",
                              "Authorization: a\r\nAuthorization: b\r\n"}) {
    EXPECT_EQ(refused(headers), "400 ") << headers;
  }
  EXPECT_EQ(parsed("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "400 Transfer-Encoding: has to be chunked, in HTTP/1.1, or absent");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\n\r\n"), "400 Host: is missing");
  for (const char* host : {"a b", "a/b", "user@a", "a,b", "a?"}) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "400 Host: is no host") << host;
  }
  for (const char* host : {"", "a", "a.b:80", "[::1]:80", "a_b"}) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "GET / ") << host;
  }
}

TEST(RequestParser, RefusesAFoldedHeaderCutAnywhere) {
  for (std::size_t step = 1; step < 60; ++step) {
    EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 5\r\n\r\nhello", step),
              "400 a header is folded over two lines");
  }
}

std::string answered(const std::string& head) {
  Request request;
  RequestParser(request, kMaxBody).take(head);
  std::string bytes;
  write_response({.body = "{}"}, request, "DATE", request.keep_alive, bytes);
  return bytes.substr(0, bytes.find("\r\n\r\n"));
}

TEST(Response, TellsOldClientsThatTheConnectionIsKept) {
  const std::string usual =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nDate: DATE\r\nX-Request-Id: ";
  EXPECT_EQ(answered("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), usual);
  EXPECT_EQ(answered("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), usual + "\r\nConnection: close");
  EXPECT_EQ(answered("GET / HTTP/1.0\r\n\r\n"), usual + "\r\nConnection: close");
  EXPECT_EQ(answered("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), usual + "\r\nConnection: keep-alive");
}

TEST(RequestParser, PassesOverWhatAnOldClientExpects) {
  Request request;
  RequestParser(request, kMaxBody).take("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(request.expect, "");
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
  for (const char* bytes :
       {"GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\n\n", "G\x01T / HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x01", "GET  / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    EXPECT_EQ(parsed(bytes).substr(0, 4), "400 ") << bytes;
  }
}

TEST(RequestParser, KeepsItsLimits) {
  const std::string large(kMostHeaderBytes, 'a');
  EXPECT_EQ(parsed("GET /" + large + " HTTP/1.1\r\n\r\n").substr(0, 4), "431 ");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: h\r\nA: " + large + "\r\n\r\n").substr(0, 4), "431 ");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: h\r\nA: " + large, 100).substr(0, 4), "431 ");
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n"),
            "413 the body is larger than 100 bytes");
  std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 101; ++i) {
    chunked += "1\r\nx\r\n";
  }
  EXPECT_EQ(parsed(chunked), "413 the body is larger than 100 bytes");
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n").substr(0, 2),
            "41");
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" + large).substr(0, 4), "400 ");
}

std::string matched(std::string_view target) {
  const RouteMatch match = match_route(target);
  return std::string(template_of(match.route)) + " " + match.model + " " + match.version;
}

TEST(Routes, AreFoundByTheirDecodedPaths) {
  EXPECT_EQ(matched("/predict"), "/predict  ");
  EXPECT_EQ(matched("/"), "/  ");
  EXPECT_EQ(matched("/v2"), "/v2  ");
  EXPECT_EQ(matched("/v2/"), "/v2  ");
  EXPECT_EQ(matched("/v2/models/ir%69s?x=/"), "/v2/models/{model} iris ");
  EXPECT_EQ(matched("http://host:80/v2/models/a%2Fb/versions/1/infer"), "/v2/models/{model}/infer a/b 1");
  EXPECT_EQ(matched("/v1/models/iris:predict"), "/v1/models/{model}:predict iris ");
  EXPECT_EQ(matched("/v1/models/iris%3Apredict"), "/v1/models/{model}:predict iris ");
  EXPECT_EQ(matched("/v1/models/iris"), "/v1/models/{model} iris ");
  for (const char* target :
       {"/v3", "//", "/predict/", "/v2/models", "/v2/models/", "/v2/models//infer", "/v2/models/iris/versions//infer",
        "/v2/models/iris/infer/", "*", "predict", "", "/../v2"}) {
    EXPECT_EQ(matched(target), "(unknown)  ") << target;
  }
  EXPECT_THROW(match_route("/v2/models/%4"), RequestError);
  EXPECT_THROW(match_route("/v2/models/%zz"), RequestError);
}

}  // namespace
}  // namespace iris::serve
