#include "serve/protocol/descriptions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/fake_model.h"

namespace iris::serve {
namespace {

TEST(Descriptions, TheServerNamesItsExtensions) {
  EXPECT_EQ(
      server_json(),
      R"({"extensions":["binary_tensor_data","statistics","model_repository"],"name":"iris","version":")" IRIS_VERSION
      "\"}");
}

TEST(Descriptions, AModelHasOneInputAndFourOutputs) {
  EXPECT_EQ(model_json("m", FakeModel()),
            R"({"inputs":[{"datatype":"FP32","name":"input","shape":[-1,4]}],"name":"m","outputs":[)"
            R"({"datatype":"FP32","name":"probabilities","shape":[-1,2]},)"
            R"({"datatype":"FP32","name":"logits","shape":[-1,2]},)"
            R"({"datatype":"BYTES","name":"label","shape":[-1]},)"
            R"({"datatype":"INT64","name":"index","shape":[-1]}],)"
            R"("platform":"pytorch_libtorch","versions":["1"]})");
}

TEST(Descriptions, AModelWithoutFeatureNamesTakesAnyNumberOfThem) {
  EXPECT_NE(model_json("m", FakeModel(std::vector<std::string>())).find(R"("name":"input","shape":[-1,-1])"),
            std::string::npos);
}

TEST(Descriptions, TheConfigurationHasTheBatchersOptions) {
  const std::string config = model_config_json("m", FakeModel(), 64, std::chrono::microseconds(7));
  EXPECT_NE(config.find(R"("max_batch_size":64)"), std::string::npos);
  EXPECT_NE(config.find(R"("dynamic_batching":{"max_queue_delay_microseconds":7})"), std::string::npos);
}

TEST(Descriptions, TheConfigurationNamesFeaturesAndLabels) {
  const std::string config = model_config_json("m", FakeModel(), 64, std::chrono::microseconds(7));
  EXPECT_NE(config.find(R"("features":{"string_value":"[\"a\",\"b\",\"c\",\"d\"]"})"), std::string::npos);
  EXPECT_NE(config.find(R"("labels":{"string_value":"[\"x\",\"y\"]"})"), std::string::npos);
}

TEST(Descriptions, TheConfigurationsOutputsHaveTritonsTypes) {
  const std::string config = model_config_json("m", FakeModel(), 64, std::chrono::microseconds(7));
  EXPECT_NE(config.find(R"({"data_type":"TYPE_FP32","dims":[2],"name":"logits"})"), std::string::npos);
  EXPECT_NE(config.find(R"({"data_type":"TYPE_STRING","dims":[1],"name":"label","reshape":{"shape":[]}})"),
            std::string::npos);
}

TEST(Descriptions, TheIndexSaysThatAModelIsReady) {
  EXPECT_EQ(repository_index_json("m", nullptr), R"([{"name":"m","reason":"","state":"READY","version":"1"}])");
}

TEST(Descriptions, TheIndexSaysWhyAModelIsNotReady) {
  EXPECT_EQ(repository_index_json("m", "it was unloaded"),
            R"([{"name":"m","reason":"it was unloaded","state":"UNAVAILABLE","version":"1"}])");
}

}  // namespace
}  // namespace iris::serve
