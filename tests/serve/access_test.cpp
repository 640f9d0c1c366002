#include "serve/access.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/refusal.h"

namespace iris::serve {
namespace {

constexpr const char* kOrigin = "https://example.org";

Request request_to(Route route, const std::string& authorization = "") {
  Request request;
  request.method = "POST";
  request.match.route = route;
  request.authorization = authorization;
  return request;
}

Request from_origin(const std::string& origin, const std::string& method = "POST") {
  Request request = request_to(Route::kRepositoryLoad);
  request.method = method;
  request.origin = origin;
  request.is_from_loopback = true;
  return request;
}

std::string with_key(const std::string& authorization, Route route = Route::kPredict) {
  return refusal([&] { Access("secret", "").check(request_to(route, authorization)); });
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& [each, value] : response.headers) {
    if (each == name) {
      return value;
    }
  }
  return "";
}

std::string allowed_origin(const std::string& cors_origin, const std::string& origin) {
  Response response;
  Access("", cors_origin).add_headers(from_origin(origin), response);
  return header(response, "Access-Control-Allow-Origin");
}

TEST(Access, IsFreeWithoutAKey) { EXPECT_NO_THROW(Access("", "").check(request_to(Route::kPredict))); }

TEST(Access, TakesTheKeyAndAnyCaseOfTheScheme) {
  EXPECT_EQ(with_key("Bearer secret"), "nothing was refused");
  EXPECT_EQ(with_key("bearer secret"), "nothing was refused");
  EXPECT_EQ(with_key("Bearer   secret"), "nothing was refused");
}

TEST(Access, RefusesAllThatIsNotTheKey) {
  for (const char* authorization :
       {"", "secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Bearer secretsecret", "Bearer Secret",
        "Basic secret", "Bearer  ", "Bearersecret"}) {
    EXPECT_EQ(with_key(authorization), "401 Authorization: has to be Bearer and this server's key") << authorization;
  }
}

TEST(Access, AsksForNoKeyOnHealthRoutes) {
  EXPECT_EQ(with_key("", Route::kLive), "nothing was refused");
  EXPECT_EQ(with_key("", Route::kReady), "nothing was refused");
}

TEST(Access, AsksForNoKeyOnThePageAndItsFiles) {
  for (const Route route : {Route::kPage, Route::kPageScript, Route::kPageStyle, Route::kPageData}) {
    EXPECT_EQ(with_key("", route), "nothing was refused");
  }
}

TEST(Access, AsksForNoKeyInAPreflight) {
  EXPECT_NO_THROW(Access("secret", kOrigin).check(from_origin(kOrigin, "OPTIONS")));
}

TEST(Access, OnlyThisMachineManagesWithoutAKey) {
  EXPECT_EQ(refusal([] { Access("", "").check_may_manage(request_to(Route::kRepositoryLoad)); }),
            "403 models are loaded and unloaded by callers on this machine, or with the key of --api-key-file");
}

TEST(Access, EveryHolderOfTheKeyManages) {
  EXPECT_NO_THROW(Access("secret", "").check_may_manage(request_to(Route::kRepositoryLoad)));
}

TEST(Access, NoPageManagesWithoutAKeyWhateverOriginIsWelcome) {
  for (const char* welcome : {"", "*", kOrigin}) {
    for (const char* origin : {kOrigin, "https://elsewhere.example", "null"}) {
      EXPECT_EQ(refusal([&] { Access("", welcome).check_may_manage(from_origin(origin)); }),
                "403 Origin: a page may load or unload models only with the key of --api-key-file");
    }
  }
  EXPECT_NO_THROW(Access("secret", kOrigin).check_may_manage(from_origin(kOrigin)));
}

TEST(Access, AQuestionIsAPreflightOnlyWhereAnotherOriginMayAsk) {
  EXPECT_TRUE(Access("", kOrigin).is_preflight(from_origin(kOrigin, "OPTIONS")));
  EXPECT_FALSE(Access("", kOrigin).is_preflight(from_origin(kOrigin, "POST")));
  EXPECT_FALSE(Access("", "").is_preflight(from_origin(kOrigin, "OPTIONS")));
}

TEST(Access, APreflightTellsAWelcomeOriginWhatItMaySend) {
  const Response response = Access("", kOrigin).preflight(from_origin(kOrigin, "OPTIONS"));
  EXPECT_EQ(header(response, "Access-Control-Allow-Methods"), "GET, POST");
  EXPECT_EQ(header(response, "Access-Control-Allow-Headers"),
            "Authorization, Content-Type, Content-Encoding, X-Request-Id, traceparent, "
            "Inference-Header-Content-Length");
}

TEST(Access, APreflightTellsAnotherOriginNothing) {
  EXPECT_TRUE(Access("", kOrigin).preflight(from_origin("https://other.org", "OPTIONS")).headers.empty());
}

TEST(Access, AllowsTheOriginThatIsWelcome) { EXPECT_EQ(allowed_origin(kOrigin, kOrigin), kOrigin); }

TEST(Access, AllowsEveryOriginWhereAllAreWelcome) { EXPECT_EQ(allowed_origin("*", "https://other.org"), "*"); }

TEST(Access, DoesNotAllowAnotherOrigin) { EXPECT_EQ(allowed_origin(kOrigin, "https://other.org"), ""); }

TEST(Access, TellsCachesThatTheAnswerDependsOnTheOrigin) {
  Response response;
  Access("", kOrigin).add_headers(from_origin("https://other.org"), response);
  EXPECT_EQ(header(response, "Vary"), "Origin");
}

}  // namespace
}  // namespace iris::serve
