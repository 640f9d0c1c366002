#include "serve/protocol/inference.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/fake_model.h"

namespace iris::serve {
namespace {

const FakeModel kModel;

// The answer for the second of two rows.
Response answered(std::vector<RequestedOutput> outputs, const std::optional<std::string>& id = std::nullopt) {
  InferenceRequest request;
  request.id = id;
  request.rows = {.values = {1, 2, 0, 0}, .count = 1};
  request.outputs = std::move(outputs);
  Predictions predictions;
  kModel.predict(std::vector<float>{9, 3, 0, 0, 1, 1, 0, 0}, 2, predictions);
  return inference_response("m", kModel, request, predictions, 1);
}

RequestedOutput output(Output wanted, bool is_binary) {
  for (const OutputType& type : outputs_of(Outputs::kLogits)) {
    if (type.output == wanted) {
      return {type, is_binary};
    }
  }
  return {};
}

TEST(InferenceResponse, WritesEveryOutputInJson) {
  const Response response = answered({output(Output::kProbabilities, false), output(Output::kLogits, false),
                                      output(Output::kLabel, false), output(Output::kIndex, false)});
  EXPECT_EQ(response.body, R"({"model_name":"m","model_version":"1","outputs":[)"
                           R"({"name":"probabilities","datatype":"FP32","shape":[1,2],"data":[0.5,0.5]},)"
                           R"({"name":"logits","datatype":"FP32","shape":[1,2],"data":[1,1]},)"
                           R"({"name":"label","datatype":"BYTES","shape":[1],"data":["x"]},)"
                           R"({"name":"index","datatype":"INT64","shape":[1],"data":[0]}]})");
  EXPECT_STREQ(response.content_type, "application/json");
}

TEST(InferenceResponse, RepeatsTheId) {
  EXPECT_EQ(answered({output(Output::kIndex, false)}, "7\"").body,
            R"({"model_name":"m","model_version":"1","id":"7\"",)"
            R"("outputs":[{"name":"index","datatype":"INT64","shape":[1],"data":[0]}]})");
}

TEST(InferenceResponse, CountsTheRowsForTheLog) { EXPECT_EQ(answered({output(Output::kIndex, false)}).rows, 1); }

TEST(InferenceResponse, PutsBinaryOutputsAfterTheJson) {
  const Response response =
      answered({output(Output::kLabel, true), output(Output::kIndex, true), output(Output::kLogits, false)});
  const std::string json = R"({"model_name":"m","model_version":"1","outputs":[)"
                           R"({"name":"label","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}},)"
                           R"({"name":"index","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}},)"
                           R"({"name":"logits","datatype":"FP32","shape":[1,2],"data":[1,1]}]})";
  EXPECT_EQ(response.body, json + std::string("\1\0\0\0x", 5) + std::string(8, '\0'));
  EXPECT_STREQ(response.content_type, "application/octet-stream");
  ASSERT_EQ(response.headers.size(), 1);
  EXPECT_EQ(response.headers[0].first, kInferenceHeaderLength);
  EXPECT_EQ(response.headers[0].second, std::to_string(json.size()));
}

TEST(InferenceResponse, WritesBinaryFloatsAsTheyLieInMemory) {
  const std::string body = answered({output(Output::kLogits, true)}).body;
  EXPECT_EQ(body.substr(body.size() - 8), std::string("\0\0\x80\x3F\0\0\x80\x3F", 8));
}

}  // namespace
}  // namespace iris::serve
