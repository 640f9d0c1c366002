#include "serve/log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "serve/pipe.h"

namespace iris::serve {
namespace {

RequestLine line_of(std::string_view id) {
  return {.method = "GET",
          .route = "/v2",
          .status = 200,
          .rows = 3,
          .took = std::chrono::microseconds(1234),
          .request_id = id,
          .traceparent = "00-a-b-01",
          .error = ""};
}

// What the log writes, without the time, which has 24 characters.
template <class Work>
std::string written(LogFormat format, const Work& work) {
  Pipe pipe;
  {
    Log log(format, pipe.ends[1]);
    work(log);
  }
  return pipe.read();
}

TEST(Log, WritesALineForEachRequest) {
  const std::string text = written(LogFormat::kText, [](Log& log) { log.request(line_of("abc")); });
  EXPECT_EQ(text.substr(24), " GET /v2 200 rows=3 ms=1.234 id=abc traceparent=00-a-b-01\n");
}

TEST(Log, SaysWhyARequestFailed) {
  RequestLine line = line_of("abc");
  line.status = 500;
  line.error = "two\nlines";
  EXPECT_EQ(written(LogFormat::kText, [&](Log& log) { log.request(line); }).substr(24),
            " GET /v2 500 rows=3 ms=1.234 id=abc traceparent=00-a-b-01 error=\"two\\x0alines\"\n");
  EXPECT_NE(written(LogFormat::kJson, [&](Log& log) { log.request(line); }).find(R"(,"error":"two\nlines"})"),
            std::string::npos);
}

TEST(Log, WritesRequestsAsJson) {
  const std::string text = written(LogFormat::kJson, [](Log& log) { log.request(line_of("a\"\n")); });
  EXPECT_EQ(
      text.substr(34),
      R"(,"method":"GET","route":"/v2","status":200,"rows":3,"ms":1.234,"request_id":"a\"\n","traceparent":"00-a-b-01"})"
      "\n");
}

TEST(Log, LeavesOutATraceThatIsNotThere) {
  const std::string text = written(LogFormat::kText, [](Log& log) {
    RequestLine line = line_of("abc");
    line.traceparent = "";
    log.request(line);
  });
  EXPECT_EQ(text.substr(24), " GET /v2 200 rows=3 ms=1.234 id=abc\n");
}

TEST(Log, WritesMessages) {
  EXPECT_EQ(written(LogFormat::kText, [](Log& log) { log.message("reloaded"); }), "iris: reloaded\n");
}

TEST(Log, WritesAMessageOfTwoLinesAsOneLineOfJson) {
  const std::string text = written(LogFormat::kJson, [](Log& log) { log.message("two\nlines"); });
  EXPECT_EQ(text.substr(34), ",\"message\":\"two\\nlines\"}\n");
}

TEST(Log, HasWrittenAllAfterAFlush) {
  Pipe pipe;
  Log log(LogFormat::kText, pipe.ends[1]);
  log.message("a");
  log.message("b");
  log.flush();
  EXPECT_EQ(pipe.read(), "iris: a\niris: b\n");
}

// ctest stops it where it hangs.
TEST(Log, EndsThoughNobodyReadsThePipe) {
  Pipe pipe;
  {
    Log log(LogFormat::kText, pipe.ends[1]);
    const std::string id(1000, 'x');
    for (int i = 0; i < 10'000; ++i) {
      log.request(line_of(id));
    }
    log.flush();
  }
  EXPECT_GE(pipe.read().size(), 60'000);
}

TEST(Log, SaysHowManyLinesWereDropped) {
  Pipe pipe;
  const std::string line(1 << 20, 'x');
  std::string text;
  {
    Log log(LogFormat::kText, pipe.ends[1]);
    log.message("first");  // keeps the thread at its pipe
    for (std::size_t i = 0; i < 3 * Log::kMostWaiting / line.size(); ++i) {
      log.message(line);
    }
    while (text.find("lines are missing here") == std::string::npos) {
      text += pipe.read();
    }
  }
  EXPECT_NE(text.find("iris: the log was not read: "), std::string::npos);
}

}  // namespace
}  // namespace iris::serve
