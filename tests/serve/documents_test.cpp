#include "serve/documents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "serve/fake_model.h"

namespace iris::serve {
namespace {

using nlohmann::json;

json description(const std::string& name, const Model* model, std::size_t max_queue_rows = 1024,
                 const std::string& key = "") {
  ServerOptions options;
  options.name = name;
  options.max_queue_rows = max_queue_rows;
  options.api_key = key;
  return json::parse(openapi_json(options, model));
}

TEST(Documents, ThePageHasTheServersNameAndLimitAndNoneOfTheModels) {
  const std::string page = page_html("m", 7);
  EXPECT_NE(page.find(R"({"max_queue_rows":7,"name":"m"})"), std::string::npos);
  EXPECT_EQ(page.find("features\":"), std::string::npos);
}

TEST(Documents, ANameDoesNotBreakOutOfThePage) {
  EXPECT_NE(page_html("</script>", 1).find(R"("name":"\u003c/script>")"), std::string::npos);
}

TEST(Documents, TheDescriptionHasTheModelsNameAndTheVersion) {
  const json its = description("a\"b", nullptr);
  EXPECT_EQ(its["info"]["version"], IRIS_VERSION);
  EXPECT_EQ(its["paths"]["/v1/models/{model}"]["get"]["parameters"][0]["schema"]["enum"][0], "a\"b");
}

TEST(Documents, TheDescriptionLeavesUnloadOut) {
  EXPECT_FALSE(description("m", nullptr)["paths"].contains("/v2/repository/models/{model}/unload"));
}

TEST(Documents, TheDescriptionIsOfTheModelThatIsServedWithinItsLimits) {
  const FakeModel model(std::vector<std::string>{"p", "q"});
  const json its = description("m", &model, 7);
  const json& schemas = its["components"]["schemas"];
  EXPECT_EQ(schemas["Numbers"]["minItems"], 2);
  EXPECT_EQ(schemas["Numbers"]["maxItems"], 2);
  EXPECT_EQ(schemas["InstanceObject"]["required"], (json{"p", "q"}));
  EXPECT_EQ(schemas["InstanceList"]["description"], "Up to 7; more are a 413.");
  EXPECT_EQ(schemas["InferenceRequest"]["properties"]["inputs"]["items"]["properties"]["shape"]["const"], (json{1, 2}));
  const json& media = its["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"];
  EXPECT_EQ(media["example"].dump(), R"({"instances":[[1.0,1.0]]})");
}

TEST(Documents, TheExampleForTheDatasFeaturesIsAFlower) {
  const FakeModel model({"sepal_length", "sepal_width", "petal_length", "petal_width"});
  const json its = description("m", &model);
  const json& media = its["paths"]["/v2/models/{model}/infer"]["post"]["requestBody"]["content"]["application/json"];
  EXPECT_EQ(media["example"]["inputs"][0]["data"].dump(), "[5.1,3.5,1.4,0.2]");
}

TEST(Documents, TheDescriptionOfAModelWithoutNamesClaimsNoWidthAndHasNoExample) {
  const FakeModel model(std::vector<std::string>{});
  const json its = description("m", &model);
  EXPECT_FALSE(its["components"]["schemas"]["Numbers"].contains("maxItems"));
  EXPECT_FALSE(its["components"]["schemas"].contains("InstanceObject"));
  EXPECT_FALSE(its["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"].contains("example"));
}

TEST(Documents, TheDescriptionAsksForAKeyWhereOneIsSetButNotForThePageAndHealth) {
  EXPECT_EQ(description("m", nullptr)["security"], json::array());
  const json its = description("m", nullptr, 1024, "secret");
  EXPECT_EQ(its["security"], json::parse(R"([{"key":[]}])"));
  for (const char* path : {"/", "/page.js", "/v2/health/live", "/v2/health/ready"}) {
    EXPECT_EQ(its["paths"][path]["get"]["security"], json::array()) << path;
  }
  EXPECT_FALSE(its["paths"]["/predict"]["post"].contains("security"));
}

TEST(Documents, EveryReferenceOfTheDescriptionLeadsSomewhere) {
  const FakeModel named;
  const FakeModel nameless(std::vector<std::string>{});
  for (const Model* model : std::initializer_list<const Model*>{&named, &nameless, nullptr}) {
    const json its = description("m", model);
    const std::string text = its.dump();
    constexpr std::string_view kBegin = "\"$ref\":\"#";
    for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
      const std::size_t begin = at + kBegin.size();
      const std::string pointer = text.substr(begin, text.find('"', begin) - begin);
      EXPECT_TRUE(its.contains(json::json_pointer(pointer))) << pointer;
    }
  }
}

TEST(Documents, TheFlowersAreAHeaderAndOneHundredAndFiftyRows) {
  const std::string csv = iris_csv();
  EXPECT_EQ(csv.substr(0, 12), "sepal_length");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 151);
}

}  // namespace
}  // namespace iris::serve
