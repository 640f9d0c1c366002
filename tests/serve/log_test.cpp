#include "serve/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

namespace iris::serve {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  std::string read() {
    std::string text(1 << 20, '\0');
    const auto size = ::read(ends[0], text.data(), text.size());
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  int ends[2] = {};
};

RequestLine line_of(std::string_view id) {
  return {.method = "GET",
          .route = "/v2",
          .status = 200,
          .rows = 3,
          .took = std::chrono::microseconds(1234),
          .request_id = id,
          .traceparent = "00-a-b-01"};
}

TEST(Log, WritesALineForEachRequest) {
  Pipe pipe;
  {
    Log log(LogFormat::kText, pipe.ends[1]);
    log.request(line_of("abc"));
  }
  EXPECT_EQ(pipe.read().substr(24), " GET /v2 200 rows=3 ms=1.234 id=abc traceparent=00-a-b-01\n");
  {
    Log log(LogFormat::kJson, pipe.ends[1]);
    log.request(line_of("a\"\n"));
    log.message("two\nlines");
  }
  const std::string json = pipe.read();
  EXPECT_EQ(
      json.substr(34, json.find('\n') - 34),
      R"(,"method":"GET","route":"/v2","status":200,"rows":3,"ms":1.234,"request_id":"a\"\n","traceparent":"00-a-b-01"})");
  EXPECT_NE(json.find(R"("message":"two\nlines"})"), std::string::npos);
}

TEST(Log, APipeThatNobodyReadsHoldsUpNeitherRequestsNorTheEnd) {
  Pipe pipe;
  const auto start = std::chrono::steady_clock::now();
  {
    Log log(LogFormat::kText, pipe.ends[1]);
    const std::string id(1000, 'x');
    for (int i = 0; i < 10'000; ++i) {
      log.request(line_of(id));
    }
    log.flush();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_GE(pipe.read().size(), 60'000);
}

}  // namespace
}  // namespace iris::serve
