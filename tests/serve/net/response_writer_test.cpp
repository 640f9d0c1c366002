#include "serve/net/http.h"

#include <gtest/gtest.h>

#include <string>

namespace iris::serve {
namespace {

std::string written(const Response& response, const Request& request, bool keep_alive = true) {
  std::string bytes;
  write_response(response, request, "DATE", keep_alive, bytes);
  return bytes;
}

Request get(bool is_http_1_0 = false) {
  Request request;
  request.method = "GET";
  request.request_id = "ID";
  request.is_http_1_0 = is_http_1_0;
  return request;
}

constexpr const char* kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nDate: DATE\r\nX-Request-Id: ID\r\n";

TEST(ResponseWriter, WritesHeadAndBody) { EXPECT_EQ(written({.body = "{}"}, get()), std::string(kHead) + "\r\n{}"); }

TEST(ResponseWriter, WritesTheReasonOfAnotherStatus) {
  EXPECT_EQ(written({.status = 404, .body = "{}"}, get()).substr(0, 24), "HTTP/1.1 404 Not Found\r\n");
}

TEST(ResponseWriter, WritesTheResponsesOwnHeaders) {
  EXPECT_EQ(written({.body = "{}", .headers = {{"Allow", "GET"}, {"Vary", "Origin"}}}, get()),
            std::string(kHead) + "Allow: GET\r\nVary: Origin\r\n\r\n{}");
}

TEST(ResponseWriter, LeavesTheBodyOutForAHead) {
  Request request = get();
  request.method = "HEAD";
  EXPECT_EQ(written({.body = "{}"}, request), std::string(kHead) + "\r\n");
}

TEST(ResponseWriter, SaysThatTheConnectionIsClosed) {
  EXPECT_EQ(written({.body = "{}"}, get(), false), std::string(kHead) + "Connection: close\r\n\r\n{}");
}

TEST(ResponseWriter, TellsOldClientsThatTheConnectionIsKept) {
  EXPECT_EQ(written({.body = "{}"}, get(true)), std::string(kHead) + "Connection: keep-alive\r\n\r\n{}");
}

}  // namespace
}  // namespace iris::serve
