#include "serve/net/http.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "serve/protocol/response.h"

namespace iris::serve {
namespace {

constexpr std::size_t kMaxBody = 100;
constexpr const char* kNotHttp = "400 not an HTTP/1.1 request: ";  // and Boost's reason, which its versions word anew

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

// Of a POST with these headers.
std::string with_headers(const std::string& headers) {
  return parsed("POST / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n0\r\n\r\n");
}

// The refusal without Boost's reason.
std::string beginning(const std::string& refusal) { return refusal.substr(0, std::string_view(kNotHttp).size()); }

// The request, once its head was taken.
Request head_of(const std::string& head) {
  Request request;
  RequestParser(request, kMaxBody).take(head);
  return request;
}

TEST(RequestParser, TakesABodyOfAKnownLengthCutAnywhere) {
  for (std::size_t step = 1; step < 80; ++step) {
    EXPECT_EQ(parsed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", step), "POST /a hello");
  }
}

TEST(RequestParser, TakesAChunkedBodyCutAnywhere) {
  for (std::size_t step = 1; step < 120; ++step) {
    EXPECT_EQ(parsed("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
                     step),
              "POST /a hello");
  }
}

TEST(RequestParser, TakesARequestWithoutABodyCutAnywhere) {
  for (std::size_t step = 1; step < 30; ++step) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: h\r\n\r\n", step), "GET / ");
  }
}

TEST(RequestParser, WantsMoreUntilTheRequestIsWhole) {
  EXPECT_EQ(parsed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell"), "more");
}

TEST(RequestParser, TakesNothingOfTheNextRequest) {
  Request request;
  RequestParser parser(request, kMaxBody);
  const std::string one = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(parser.take(one + one), one.size());
}

TEST(RequestParser, NotesTheHeadersThatAreActedUpon) {
  const Request request = head_of(
      "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAccept-Encoding: b\r\nAccept-Encoding: c\r\n"
      "Content-Encoding: d\r\nExpect: e\r\ninference-header-content-length: 7\r\nOrigin: f\r\n"
      "Access-Control-Request-Method: g\r\nX-REQUEST-ID: i\r\ntraceparent: j\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(request.authorization, "a");
  EXPECT_EQ(request.accept_encoding, "b, c");
  EXPECT_EQ(request.content_encoding, "d");
  EXPECT_EQ(request.expect, "e");
  EXPECT_EQ(request.inference_header_length, "7");
  EXPECT_EQ(request.origin, "f");
  EXPECT_EQ(request.preflight_method, "g");
  EXPECT_EQ(request.request_id, "i");
  EXPECT_EQ(request.traceparent, "j");
}

TEST(RequestParser, KnowsWhetherTheConnectionIsKept) {
  EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nHost: h\r\n\r\n").keep_alive);
  EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").keep_alive);
  EXPECT_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(head_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(RequestParser, PassesOverWhatAnOldClientExpects) {
  EXPECT_EQ(head_of("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").expect, "");
}

TEST(RequestParser, DoesNotTakeATrailerForAHeader) {
  Request request;
  RequestParser parser(request, kMaxBody);
  std::string bytes =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer secret\r\n\r\n";
  while (!parser.is_complete()) {
    bytes.erase(0, parser.take(bytes));
  }
  EXPECT_EQ(request.authorization, "");
}

TEST(RequestParser, RefusesALengthThatIsThereTwice) {
  for (const char* headers : {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n"}) {
    EXPECT_EQ(with_headers(headers), "400 Content-Length: is there twice") << headers;
  }
}

TEST(RequestParser, RefusesALengthThatIsNotANumberOrAnotherOne) {
  for (const char* headers :
       {"Content-Length: -1\r\n", "Content-Length: +1\r\n", "Content-Length: 0x5\r\n", "Content-Length: 1 \t1\r\n",
        "Content-Length: 99999999999999999999\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n"}) {
    EXPECT_EQ(beginning(with_headers(headers)), kNotHttp) << headers;
  }
}

TEST(RequestParser, RefusesALengthNextToATransferCoding) {
  for (const char* headers :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"}) {
    EXPECT_EQ(beginning(with_headers(headers)), kNotHttp) << headers;
  }
}

TEST(RequestParser, RefusesATransferCodingOtherThanChunked) {
  for (const char* headers : {"Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
                              "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: xchunked\r\n"}) {
    EXPECT_EQ(with_headers(headers), "400 Transfer-Encoding: has to be chunked, in HTTP/1.1, or absent") << headers;
  }
}

TEST(RequestParser, RefusesATransferCodingThatIsThereTwice) {
  EXPECT_EQ(beginning(with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), kNotHttp);
}

TEST(RequestParser, RefusesATransferCodingInHttp10) {
  EXPECT_EQ(parsed("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "400 Transfer-Encoding: has to be chunked, in HTTP/1.1, or absent");
}

TEST(RequestParser, RefusesAFoldedHeader) {
  for (const char* headers :
       {"Content-Length:\r\n 5\r\n", "Transfer-Encoding:\r\n\tchunked\r\n", "A: b\r\n c\r\n", "A: b\r\n \r\n"}) {
    EXPECT_EQ(with_headers(headers), "400 a header is folded over two lines") << headers;
  }
}

TEST(RequestParser, RefusesAFoldedHeaderCutAnywhere) {
  for (std::size_t step = 1; step < 60; ++step) {
    EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 5\r\n\r\nhello", step),
              "400 a header is folded over two lines");
  }
}

TEST(RequestParser, RefusesASecondHost) { EXPECT_EQ(with_headers("Host: other\r\n"), "400 Host: is there twice"); }

TEST(RequestParser, RefusesARequestWithoutAHost) {
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\n\r\n"), "400 Host: is missing");
}

TEST(RequestParser, RefusesAHostThatCannotBeOne) {
  for (const char* host : {"a b", "a/b", "user@a", "a,b", "a?", "a:b", "a:65536", "a:-1", "a:1:2", ":80", "[::1", "[a]",
                           "[::1]x", "[::1]:x", "::1", "a%2", "a\xC3\xA9"}) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "400 Host: is not a host and port")
        << host;
  }
}

TEST(RequestParser, TakesEveryHostThatCanBeOne) {
  for (const char* host :
       {"", "a", "a.b:80", "a:", "a:65535", "[::1]:80", "[::ffff:1.2.3.4]", "a_b", "a%20b", "1.2.3.4"}) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "GET / ") << host;
  }
}

TEST(RequestParser, RefusesARepeatedHeaderThatDecides) {
  EXPECT_EQ(with_headers("Authorization: a\r\nAuthorization: b\r\n"),
            "400 a header that may be there once is there twice");
}

TEST(RequestParser, RefusesARepeatedHeaderAlsoWhereTheFirstIsEmpty) {
  EXPECT_EQ(with_headers("Authorization:\r\nAuthorization: b\r\n"),
            "400 a header that may be there once is there twice");
}

TEST(RequestParser, DropsARequestIdAndATraceparentThatAreRepeated) {
  for (const char* first : {"a", ""}) {
    const std::string value = std::string(first) + "\r\n";
    const Request request = head_of("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: " + value + "X-Request-Id: " + value +
                                    "TraceParent: b\r\nx-request-id: a\r\nX-Request-Id: c\r\n\r\n");
    EXPECT_EQ(request.traceparent, " ");
    EXPECT_EQ(request.request_id, " ");
  }
}

TEST(RequestParser, RefusesHeadersThatAreMalformed) {
  for (const char* headers :
       {"Content-Length : 5\r\n", "A: b\nContent-Length: 5\r\n", "A\r\n", ": b\r\n", "A: \x01\r\n"}) {
    EXPECT_EQ(beginning(with_headers(headers)), kNotHttp) << headers;
  }
}

TEST(RequestParser, RefusesWhatIsNotHttp) {
  for (const char* bytes :
       {"GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\n\n", "G\x01T / HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x01", "GET  / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    EXPECT_EQ(beginning(parsed(bytes)), kNotHttp) << bytes;
  }
}

constexpr const char* kHeadIsTooLarge = "431 the request line and headers are larger than 16384 bytes";
constexpr const char* kBodyIsTooLarge = "413 the body is larger than 100 bytes";
const std::string kLarge(kMostHeaderBytes, 'a');
const std::string kChunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(RequestParser, RefusesALargeRequestLine) {
  EXPECT_EQ(parsed("GET /" + kLarge + " HTTP/1.1\r\n\r\n"), kHeadIsTooLarge);
}

TEST(RequestParser, RefusesALargeMethod) { EXPECT_EQ(parsed(kLarge + kLarge), kHeadIsTooLarge); }

TEST(RequestParser, RefusesALargeHeader) {
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: h\r\nA: " + kLarge + "\r\n\r\n"), kHeadIsTooLarge);
}

TEST(RequestParser, RefusesManyHeaders) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 5000; ++i) {
    head += "A: b\r\n";
  }
  EXPECT_EQ(parsed(head), kHeadIsTooLarge);
}

TEST(RequestParser, RefusesALargeHeadThatHasNoEndHoweverItIsCut) {
  for (const std::size_t step : {100U, 4096U, 10'000U, 100'000U}) {
    EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: h\r\nA: " + kLarge + kLarge, step), kHeadIsTooLarge) << step;
  }
}

// Each piece ends a few bytes into the next header, so that no call sees more than a piece.
TEST(RequestParser, RefusesALargeHeadHoweverItsPiecesEnd) {
  const std::string line = "A: " + std::string(310, 'b') + "\r\n";
  for (std::size_t into = 0; into < line.size(); ++into) {
    Request request;
    RequestParser parser(request, kMaxBody);
    std::string waiting = "GET / HTTP/1.1\r\nHost: h\r\n" + line.substr(0, into);
    std::size_t sent = waiting.size();
    std::string refused = "nothing was refused";
    try {
      for (int i = 0; i < 100; ++i) {
        waiting.erase(0, parser.take(waiting));
        waiting += line.substr(into) + line.substr(0, into);
        sent += line.size();
      }
    } catch (const RequestError& error) {
      refused = std::to_string(error.status) + " " + error.what();
    }
    EXPECT_EQ(refused, kHeadIsTooLarge) << into;
    EXPECT_LE(sent, kMostHeaderBytes + 2 * line.size()) << into;
  }
}

TEST(RequestParser, TakesAHeadOfTheLimitHoweverItIsCut) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
  const std::string padding(kMostHeaderBytes - begin.size() - 4, 'a');
  for (const std::size_t step : {1U, 100U, 4096U, 100'000U}) {
    EXPECT_EQ(parsed(begin + padding + "\r\n\r\n", step), "GET / ") << step;
    EXPECT_EQ(parsed(begin + padding + "a\r\n\r\n", step), kHeadIsTooLarge) << step;
  }
}

TEST(RequestParser, TakesABodyThatComesWithItsHead) {
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + kLarge + kLarge), "POST / hello");
}

TEST(RequestParser, RefusesControlCharactersInAChunksExtension) {
  const std::string kRefusal = "400 a chunk's extension has a control character in it";
  for (const char character : {'\n', '\x01', '\x7F', '\0'}) {
    for (const std::string& value : {std::string(1, character), std::string("\\") + character}) {
      EXPECT_EQ(parsed(kChunked + "2;x=\"" + value + "\"\r\nhe\r\n0\r\n\r\n"), kRefusal);
      EXPECT_EQ(parsed(kChunked + "2\r\nhe\r\n0;x=\"" + value + "\"\r\n\r\n"), kRefusal);
    }
  }
}

TEST(RequestParser, TakesChunkExtensionsOfEveryForm) {
  for (const char* extension : {";x", " ; x = y", ";x=\"a b\\\"\t\"", ";a;b=c"}) {
    EXPECT_EQ(parsed(kChunked + "2" + extension + "\r\nhe\r\n0\r\n\r\n"), "POST / he") << extension;
  }
}

TEST(RequestParser, RefusesChunkExtensionsThatAreMalformed) {
  for (const char* extension : {";", " ", ";=x", ";x=", "x", ";x y"}) {
    EXPECT_EQ(beginning(parsed(kChunked + "2" + extension + "\r\nhe\r\n0\r\n\r\n")), kNotHttp) << extension;
  }
}

TEST(RequestParser, RefusesALargeBodyByItsLength) {
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n"), kBodyIsTooLarge);
}

TEST(RequestParser, RefusesALargeBodyOfSmallChunks) {
  std::string bytes = kChunked;
  for (int i = 0; i < 101; ++i) {
    bytes += "1\r\nx\r\n";
  }
  EXPECT_EQ(parsed(bytes), kBodyIsTooLarge);
}

TEST(RequestParser, RefusesALargeChunk) { EXPECT_EQ(parsed(kChunked + "ffffffffffffffff\r\n"), kBodyIsTooLarge); }

TEST(RequestParser, RefusesALargeChunkHeader) {
  EXPECT_EQ(parsed(kChunked + "1;" + kLarge), "400 a chunk's header is larger than 4096 bytes");
}

}  // namespace
}  // namespace iris::serve
