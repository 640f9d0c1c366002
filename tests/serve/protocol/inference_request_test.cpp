#include "serve/protocol/inference_request.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "serve/fake_model.h"
#include "serve/refusal.h"

namespace iris::serve {
namespace {

const FakeModel kModel;
const std::string kInput = R"({"name":"input","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]})";

InferenceRequest parsed(const std::string& body, const std::string& header_length = "") {
  return parse_inference(kModel, body, header_length);
}

std::string refused(const std::string& body, const std::string& header_length = "") {
  return refusal([&] { parsed(body, header_length); });
}

std::string body_of(const std::string& datatype, const std::string& shape, const std::string& data) {
  return R"({"inputs":[{"name":"input","datatype":")" + datatype + R"(","shape":)" + shape + R"(,"data":)" + data +
         "}]}";
}

// A good input, and another member next to it.
std::string with(const std::string& member) { return R"({"inputs":[)" + kInput + "]," + member + "}"; }

TEST(InferenceRequest, TakesDataFlatAndNested) {
  for (const char* data : {"[1,2,3,4,5,6,7,8]", "[[1,2,3,4],[5,6,7,8]]"}) {
    const auto request = parsed(body_of("FP32", "[2,4]", data));
    EXPECT_EQ(request.rows.values, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8})) << data;
    EXPECT_EQ(request.rows.count, 2) << data;
  }
}

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

TEST(InferenceRequest, TakesAWholeNumberWrittenAsAFloat) {
  EXPECT_EQ(parsed(body_of("FP32", "[1.0,4]", "[1,2,3,4]")).rows.count, 1);
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

TEST(InferenceRequest, TakesEveryTypeThatFits) {
  for (const char* type :
       {"FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}) {
    EXPECT_EQ(parsed(body_of(type, "[1,4]", "[1,2,3,4]")).rows.values, (std::vector<float>{1, 2, 3, 4})) << type;
  }
}

TEST(InferenceRequest, RefusesTypesThatDoNotFit) {
  for (const char* type : {"BOOL", "BYTES", "fp32", ""}) {
    EXPECT_EQ(refused(body_of(type, "[1,4]", "[1,2,3,4]")),
              "400 inputs[0].datatype: \"" + std::string(type) +
                  "\" cannot be taken; send FP32, FP64, FP16 or an integer type");
  }
}

TEST(InferenceRequest, RefusesANumberPastFp16) {
  EXPECT_EQ(refused(body_of("FP16", "[1,4]", "[1,2,65536,4]")), "400 inputs[0].data[2]: 65536 does not fit FP16");
}

TEST(InferenceRequest, RefusesANumberPastItsIntegerType) {
  EXPECT_EQ(refused(body_of("UINT8", "[1,4]", "[1,2,256,4]")), "400 inputs[0].data[2]: 256 does not fit UINT8");
}

TEST(InferenceRequest, RefusesAFractionOfAnIntegerType) {
  EXPECT_EQ(refused(body_of("INT32", "[1,4]", "[1,2,2.5,4]")), "400 inputs[0].data[2]: 2.5 does not fit INT32");
}

TEST(InferenceRequest, RefusesAnIntegerThatFloat32DoesNotHold) {
  EXPECT_EQ(refused(body_of("INT64", "[1,4]", "[16777217,2,3,4]")),
            "400 inputs[0].data[0]: is an integer that float32 does not hold");
  EXPECT_EQ(refused(body_of("UINT64", "[1,4]", "[18446744073709551615,2,3,4]")),
            "400 inputs[0].data[0]: is an integer that float32 does not hold");
}

TEST(InferenceRequest, RefusesTheFirstIntegerPastInt64ThoughItsDoubleIsTheLargest) {
  EXPECT_EQ(refused(body_of("INT64", "[1,4]", "[9223372036854775808,2,3,4]")),
            "400 inputs[0].data[0]: 9223372036854775808 does not fit INT64");
}

TEST(InferenceRequest, RefusesShapesThatLie) {
  const std::pair<const char*, const char*> kShapes[] = {
      {"[1,3]", "inputs[0].shape: [1,3] is not [-1, 4]"},
      {"[4]", "inputs[0].shape: [4] is not [-1, 4]"},
      {"[1,1,4]", "inputs[0].shape: [1,1,4] is not [-1, 4]"},
      {"[-1,4]", "inputs[0].shape: is not a whole number from 0"},
      {"[1.5,4]", "inputs[0].shape: is not a whole number from 0"},
      {"[0,4]", "inputs[0].shape: [0,4] holds no number; send one row or more"},
      {"[4611686018427387904,4]", "inputs[0].shape: [4611686018427387904,4] is more than any memory holds"},
      {"[2,4]", "inputs[0].data: has 4 numbers where its shape says 8"},
      {"4", "inputs[0].shape: is not a list"},
      {"null", "inputs[0].shape: is missing"},
  };
  for (const auto& [shape, message] : kShapes) {
    EXPECT_EQ(refused(body_of("FP32", shape, "[1,2,3,4]")), "400 " + std::string(message));
  }
}

TEST(InferenceRequest, RefusesNestedRowsOfAnotherWidth) {
  EXPECT_EQ(refused(body_of("FP32", "[2,4]", "[[1,2,3],[4,5,6,7,8]]")),
            "400 inputs[0].data: has 3 numbers where its shape says 4");
}

TEST(InferenceRequest, RefusesDataNestedTooDeep) {
  EXPECT_EQ(refused(body_of("FP32", "[1,4]", "[[[1,2,3,4]]]")),
            "400 inputs[0].data: has 1 numbers where its shape says 4");
}

TEST(InferenceRequest, RefusesAnotherNumberOfRowsThanItsShapeSays) {
  EXPECT_EQ(refused(body_of("FP32", "[2,4]", "[[1,2,3,4]]")), "400 inputs[0].data: is not nested as its shape says");
}

TEST(InferenceRequest, RefusesAnInputWithoutData) {
  EXPECT_EQ(refused(body_of("FP32", "[1,4]", "null")), "400 inputs[0].data: is missing");
}

// The JSON with the bytes after it, and the JSON's size.
std::pair<std::string, std::string> binary_body(const std::string& datatype, std::size_t size,
                                                const std::string& bytes) {
  const std::string json = R"({"inputs":[{"name":"input","shape":[1,4],"datatype":")" + datatype +
                           R"(","parameters":{"binary_data_size":)" + std::to_string(size) + "}}]}";
  return {json + bytes, std::to_string(json.size())};
}

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

const std::string kFourFloats = bytes_of<float>({1, 2, 3, 4});

std::string refused_binary(std::size_t size, const std::string& bytes) {
  const auto [body, length] = binary_body("FP32", size, bytes);
  return refused(body, length);
}

TEST(InferenceRequest, TakesBinaryTensorsOfEachType) {
  const std::vector<float> expected = {1, -2, 0.5, 4};
  const auto [fp32, fp32_length] = binary_body("FP32", 16, bytes_of(expected));
  EXPECT_EQ(parsed(fp32, fp32_length).rows.values, expected);
  const auto [fp16, fp16_length] = binary_body("FP16", 8, bytes_of<std::uint16_t>({0x3C00, 0xC000, 0x3800, 0x4400}));
  EXPECT_EQ(parsed(fp16, fp16_length).rows.values, expected);
  const auto [fp64, fp64_length] = binary_body("FP64", 32, bytes_of<double>({1, -2, 0.5, 4}));
  EXPECT_EQ(parsed(fp64, fp64_length).rows.values, expected);
  const auto [int16, int16_length] = binary_body("INT16", 8, bytes_of<std::int16_t>({1, -2, 300, 4}));
  EXPECT_EQ(parsed(int16, int16_length).rows.values, (std::vector<float>{1, -2, 300, 4}));
}

TEST(InferenceRequest, RefusesABinarySizeOtherThanItsShapes) {
  EXPECT_EQ(refused_binary(12, kFourFloats),
            "400 inputs[0].parameters.binary_data_size: 12 is not the 16 bytes of its shape and datatype");
}

TEST(InferenceRequest, RefusesABinaryTensorThatIsCutShort) {
  EXPECT_EQ(refused_binary(16, kFourFloats.substr(1)),
            "400 inputs[0].parameters.binary_data_size: only 15 bytes follow the JSON");
}

TEST(InferenceRequest, RefusesBytesThatNoInputTakes) {
  EXPECT_EQ(refused_binary(16, kFourFloats + "x"), "400 1 more bytes follow the JSON than the input takes");
}

TEST(InferenceRequest, RefusesABinaryNumberThatIsNotFinite) {
  EXPECT_EQ(refused_binary(16, bytes_of<std::uint32_t>({0, 0x7F800000, 0, 0})),
            "400 inputs[0].data[1]: is not finite as float32");
}

TEST(InferenceRequest, RefusesDataBothInJsonAndBinary) {
  EXPECT_EQ(refused(R"({"inputs":[{"name":"input","datatype":"FP32","shape":[1,4],"data":[1,2,3,4],
      "parameters":{"binary_data_size":16}}]})"),
            "400 inputs[0]: has data and binary_data_size; send one of them");
}

TEST(InferenceRequest, RefusesAHeaderLengthThatIsNotWithinTheBody) {
  const auto [body, length] = binary_body("FP32", 16, kFourFloats);
  for (const char* wrong : {"100000", "-1", "x", "1 "}) {
    EXPECT_EQ(refused(body, wrong), "400 Inference-Header-Content-Length: \"" + std::string(wrong) +
                                        "\" is not a number from 0 to " + std::to_string(body.size()) +
                                        ", the body's bytes");
  }
}

TEST(InferenceRequest, RefusesBinaryBytesWithoutTheHeader) {
  const auto [body, length] = binary_body("FP32", 16, kFourFloats);
  EXPECT_EQ(refused(body, "").substr(0, 18), "400 not JSON: line");
}

TEST(InferenceRequest, RefusesAnUnknownOutput) {
  EXPECT_EQ(refused(with(R"("outputs":[{"name":"nothing"}])")),
            "400 outputs[0].name: there is no output \"nothing\"; there are probabilities, logits, label and index");
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

TEST(InferenceRequest, RefusesAFlagThatIsANumber) {
  EXPECT_EQ(refused(with(R"("parameters":{"binary_data_output":1})")),
            "400 parameters.binary_data_output: is not true or false");
}

}  // namespace
}  // namespace iris::serve
