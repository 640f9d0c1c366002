#include "serve/request.h"

#include <gtest/gtest.h>

namespace iris::serve {
namespace {

TEST(Request, IsEmptyOnceItIsCleared) {
  Request request;
  request.method = "POST";
  request.authorization = "Bearer secret";
  request.traceparent = "00-a-b-01";
  request.match = {.route = Route::kModel, .model = "m", .version = ""};
  request.is_http_1_0 = true;
  request.clear();
  EXPECT_EQ(request.method, "");
  EXPECT_EQ(request.authorization, "");
  EXPECT_EQ(request.traceparent, "");
  EXPECT_EQ(request.match.route, Route::kUnknown);
  EXPECT_EQ(request.match.model, "");
  EXPECT_FALSE(request.is_http_1_0);
}

TEST(Request, KeepsTheMemoryOfASmallBody) {
  Request request;
  request.body.assign(1000, 'a');
  request.clear();
  EXPECT_GE(request.body.capacity(), 1000);
}

TEST(Request, GivesUpTheMemoryOfALargeBody) {
  Request request;
  request.body.assign(100'000, 'a');
  request.clear();
  EXPECT_LT(request.body.capacity(), 1000);
}

}  // namespace
}  // namespace iris::serve
