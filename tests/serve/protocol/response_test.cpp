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

}  // namespace
}  // namespace iris::serve
