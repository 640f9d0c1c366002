#include "serve/routes.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/refusal.h"

namespace iris::serve {
namespace {

// The route's template, model and version.
std::string matched(std::string_view target) {
  const RouteMatch match = match_route(target);
  return std::string(template_of(match.route)) + " " + match.model + " " + match.version;
}

TEST(Routes, AreFoundByTheirPaths) {
  EXPECT_EQ(matched("/predict"), "/predict  ");
  EXPECT_EQ(matched("/"), "/  ");
  EXPECT_EQ(matched("/v1/models/iris:predict"), "/v1/models/{model}:predict iris ");
  EXPECT_EQ(matched("/v1/models/iris"), "/v1/models/{model} iris ");
}

TEST(Routes, AreCalledTheSameWithAndWithoutAVersion) {
  EXPECT_EQ(matched("/v2/models/iris/infer"), "/v2/models/{model}/infer iris ");
  EXPECT_EQ(matched("/v2/models/iris/versions/1/infer"), "/v2/models/{model}/infer iris 1");
}

TEST(Routes, TheServersMayEndInASlash) {
  EXPECT_EQ(matched("/v2"), "/v2  ");
  EXPECT_EQ(matched("/v2/"), "/v2  ");
}

TEST(Routes, AreFoundByTheirDecodedPaths) {
  EXPECT_EQ(matched("/v2/models/ir%69s"), "/v2/models/{model} iris ");
  EXPECT_EQ(matched("/v1/models/iris%3Apredict"), "/v1/models/{model}:predict iris ");
}

TEST(Routes, TakeADecodedSlashForAPartOfTheName) { EXPECT_EQ(matched("/v2/models/a%2Fb"), "/v2/models/{model} a/b "); }

TEST(Routes, PassOverTheQuery) { EXPECT_EQ(matched("/v2/models/iris?x=/"), "/v2/models/{model} iris "); }

TEST(Routes, PassOverTheHostOfAnAbsoluteTarget) {
  EXPECT_EQ(matched("http://host:80/predict"), "/predict  ");
  EXPECT_EQ(matched("HTTP://host/predict"), "/predict  ");
  EXPECT_EQ(matched("hTTps://[::1]:80/predict?a"), "/predict  ");
  EXPECT_EQ(matched("http://host?a/predict"), "/  ");
  EXPECT_EQ(matched("https://host"), "/  ");
}

TEST(Routes, AreUnknownForOtherPaths) {
  for (const char* target :
       {"/v3", "//", "/predict/", "/v2/models", "/v2/models/", "/v2/models//infer", "/v2/models/iris/versions//infer",
        "/v2/models/iris/infer/", "*", "predict", "", "/../v2"}) {
    EXPECT_EQ(matched(target), "(unknown)  ") << target;
  }
}

TEST(Routes, RefuseAPathThatIsBadlyEncoded) {
  for (const char* target : {"/v2/models/%", "/v2/models/%4", "/v2/models/%zz", "/%-1"}) {
    EXPECT_EQ(refusal([&] { match_route(target); }), "400 the path has a % without two hexadecimal digits after it")
        << target;
  }
}

TEST(Routes, SayWhichMethodsTheyTake) {
  EXPECT_EQ(allowed_methods(Route::kPredict), "POST");
  EXPECT_EQ(allowed_methods(Route::kPage), "GET, HEAD");
  EXPECT_EQ(allowed_methods(Route::kUnknown), "");
}

}  // namespace
}  // namespace iris::serve
