#include "serve/documents.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "serve/fake_model.h"

namespace iris::serve {
namespace {

using nlohmann::json;

TEST(Documents, ThePageHasTheModelsNames) {
  EXPECT_NE(page_html("m", FakeModel()).find(R"({"features":["a","b","c","d"],"labels":["x","y"],"name":"m"})"),
            std::string::npos);
}

TEST(Documents, ANameDoesNotBreakOutOfThePage) {
  const std::string page = page_html("</script>", FakeModel());
  EXPECT_NE(page.find(R"("name":"\u003c/script>")"), std::string::npos);
}

TEST(Documents, TheDescriptionHasTheModelsNameAndTheVersion) {
  const json description = json::parse(openapi_json("a\"b"));
  EXPECT_EQ(description["info"]["version"], IRIS_VERSION);
  EXPECT_EQ(description["paths"]["/v1/models/{model}"]["get"]["parameters"][0]["schema"]["enum"][0], "a\"b");
}

TEST(Documents, TheDescriptionLeavesUnloadOut) {
  EXPECT_FALSE(json::parse(openapi_json("m"))["paths"].contains("/v2/repository/models/{model}/unload"));
}

TEST(Documents, TheFlowersAreAHeaderAndOneHundredAndFiftyRows) {
  const std::string csv = iris_csv();
  EXPECT_EQ(csv.substr(0, 12), "sepal_length");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 151);
}

}  // namespace
}  // namespace iris::serve
