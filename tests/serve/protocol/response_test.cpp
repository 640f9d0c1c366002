#include "serve/protocol/response.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace iris::serve {
namespace {

using Headers = std::vector<std::pair<std::string_view, std::string>>;

TEST(ErrorResponse, IsJsonWithOneMember) {
  const Response response = error_response(400, "a \"b\"");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"error":"a \"b\""})");
  EXPECT_STREQ(response.content_type, "application/json");
}

TEST(ErrorResponse, ReplacesBytesOutsideUtf8) {
  EXPECT_EQ(error_response(400, "a\xff").body, "{\"error\":\"a\uFFFD\"}");
}

TEST(ErrorResponse, HasTheHeaderOfItsStatus) {
  EXPECT_EQ(error_response(401, "").headers, (Headers{{"WWW-Authenticate", "Bearer"}}));
  EXPECT_EQ(error_response(415, "").headers, (Headers{{"Accept-Encoding", "gzip, deflate"}}));
  EXPECT_EQ(error_response(503, "").headers, (Headers{{"Retry-After", "1"}}));
  EXPECT_EQ(error_response(404, "").headers, Headers());
}

TEST(ErrorResponse, HasTheStatusOfARequestErrorAndElse500) {
  EXPECT_EQ(error_response(RequestError(404, "a")).status, 404);
  EXPECT_EQ(error_response(std::runtime_error("a")).status, 500);
}

TEST(Statuses, HaveAReasonEach) {
  for (const int status : {200, 400, 401, 403, 404, 405, 408, 413, 415, 417, 431, 500, 503, 504}) {
    EXPECT_NE(kStatuses[status_place(status)].second, "Error") << status;
  }
  EXPECT_EQ(kStatuses[status_place(418)].second, "Error");
}

}  // namespace
}  // namespace iris::serve
