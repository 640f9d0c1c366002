#include "serve/protocol/inference.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/fake_model.h"
#include "serve/refusal.h"

namespace iris::serve {
namespace {

using namespace std::string_literals;

const FakeModel kModel;
const std::string kInput = R"({"name":"input","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]})";

InferenceRequest parsed(const std::string& body, const std::string& header_length = "") {
  return parse_inference(kModel, body, header_length);
}

std::string refused(const std::string& body, const std::string& header_length = "") {
  return refusal([&] { parsed(body, header_length); });
}

// A good input, and another member next to it.
std::string with(const std::string& member) { return R"({"inputs":[)" + kInput + "]," + member + "}"; }

TEST(InferenceRequest, AsksForEveryOutputWhereItNamesNone) {
  EXPECT_EQ(parsed(with(R"("id":"a")")).outputs.size(), 4);
  EXPECT_EQ(parsed(with(R"("outputs":[])")).outputs.size(), 4);
}

TEST(InferenceRequest, TakesNullForWhatIsAbsent) {
  const auto request = parsed(
      R"({"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"input","datatype":"FP32","shape":[1,4],
      "parameters":null,"data":[1,2,3,4]}]})");
  EXPECT_FALSE(request.id);
  EXPECT_EQ(request.outputs.size(), 4);
}

TEST(InferenceRequest, TakesATimeoutInMicroseconds) {
  EXPECT_EQ(parsed(with(R"("parameters":{"timeout":7})")).timeout, std::chrono::microseconds(7));
}

TEST(InferenceRequest, WaitsWithoutEndWhereTheTimeoutIsZero) {
  EXPECT_FALSE(parsed(with(R"("parameters":{"timeout":0})")).timeout);
}

TEST(InferenceRequest, LetsAnOutputsFormWinOverTheRequests) {
  const auto request = parsed(with(
      R"("parameters":{"binary_data_output":true},"outputs":[{"name":"label"},{"name":"index","parameters":{"binary_data":false}}])"));
  EXPECT_TRUE(request.outputs[0].is_binary);
  EXPECT_FALSE(request.outputs[1].is_binary);
}

// A request for binary data, and its size. The data is to follow it.
const std::string kBinary =
    R"({"inputs":[{"name":"input","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]})";
const std::string kBinaryLength = std::to_string(kBinary.size());
const std::string kFourOnes = "\0\0\x80\x3F\0\0\x80\x3F\0\0\x80\x3F\0\0\x80\x3F"s;

TEST(InferenceRequest, TakesBinaryDataAfterTheJson) {
  EXPECT_EQ(parsed(kBinary + kFourOnes, kBinaryLength).rows.values, (std::vector<float>{1, 1, 1, 1}));
}

TEST(InferenceRequest, RefusesBytesThatNoInputTakes) {
  EXPECT_EQ(refused(kBinary + kFourOnes + "x", kBinaryLength), "400 1 more bytes follow the JSON than the input takes");
}

TEST(InferenceRequest, RefusesAHeaderLengthThatIsNotWithinTheBody) {
  const std::string body = kBinary + kFourOnes;
  for (const char* wrong : {"100000", "-1", "x", "1 "}) {
    EXPECT_EQ(refused(body, wrong), "400 Inference-Header-Content-Length: \"" + std::string(wrong) +
                                        "\" is not a number from 0 to " + std::to_string(body.size()) +
                                        ", the body's bytes");
  }
}

TEST(InferenceRequest, RefusesBinaryBytesWithoutTheHeader) {
  EXPECT_EQ(refused(kBinary + kFourOnes, ""), "400 not JSON: there is a zero byte in it");
}

TEST(InferenceRequest, RefusesAnUnknownOutput) {
  EXPECT_EQ(refused(with(R"("outputs":[{"name":"nothing"}])")),
            "400 outputs[0].name: there is no output \"nothing\"; the model has: probabilities, logits, label, index");
}

TEST(InferenceRequest, RefusesAnOutputThatIsAskedForTwice) {
  EXPECT_EQ(refused(with(R"("outputs":[{"name":"label"},{"name":"label"}])")),
            "400 outputs[1].name: label is asked for twice");
}

TEST(InferenceRequest, RefusesOutputsThatAreNotAList) {
  EXPECT_EQ(refused(with(R"("outputs":{})")), "400 outputs: is not a list");
}

TEST(InferenceRequest, RefusesTritonsClassification) {
  EXPECT_EQ(refused(with(R"("outputs":[{"name":"logits","parameters":{"classification":1}}])")),
            "400 outputs[0].parameters.classification: is not supported; ask for the output label");
}

TEST(InferenceRequest, RefusesSharedMemory) {
  EXPECT_EQ(refused(with(R"("outputs":[{"name":"logits","parameters":{"shared_memory_region":"r"}}])")),
            "400 outputs[0].parameters.shared_memory_region: this server has no shared memory; send the data");
}

TEST(InferenceRequest, RefusesAnUnknownInput) {
  EXPECT_EQ(refused(R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}]})"),
            "400 inputs[0].name: there is no input \"x\"; the only one is \"input\"");
}

TEST(InferenceRequest, RefusesASecondInput) {
  EXPECT_EQ(refused(R"({"inputs":[)" + kInput + "," + kInput + "]}"),
            "400 inputs: has to be a list of one, called \"input\"");
}

TEST(InferenceRequest, RefusesABodyWithoutInputs) { EXPECT_EQ(refused("{}"), "400 inputs: is missing"); }

TEST(InferenceRequest, RefusesABodyThatIsNotAnObject) { EXPECT_EQ(refused("[]"), "400 the body: is not an object"); }

TEST(InferenceRequest, RefusesAnIdThatIsNotAText) { EXPECT_EQ(refused(with(R"("id":3)")), "400 id: is not a text"); }

TEST(InferenceRequest, RefusesANegativeTimeout) {
  EXPECT_EQ(refused(with(R"("parameters":{"timeout":-1})")), "400 parameters.timeout: is not a whole number from 0");
}

}  // namespace
}  // namespace iris::serve
