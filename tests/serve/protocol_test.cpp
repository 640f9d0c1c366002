#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "serve/compression.h"
#include "serve/fake_model.h"
#include "serve/inference.h"
#include "serve/instances.h"
#include "serve/json.h"

namespace iris::serve {
namespace {

const FakeModel kModel;

// The status and message with which `call` refuses.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const RequestError& error) {
    return std::to_string(error.status) + " " + error.what();
  }
  return "nothing was refused";
}

std::string refused_instances(const std::string& body) {
  return refusal([&] { parse_instances(kModel, body, Bare::kAllowed); });
}

std::string refused_inference(const std::string& body, const std::string& header_length = "") {
  return refusal([&] { parse_inference(kModel, body, header_length); });
}

std::vector<float> instances(const std::string& body) { return parse_instances(kModel, body, Bare::kAllowed).values; }

std::string infer_body(const std::string& datatype, const std::string& shape, const std::string& data) {
  return R"({"inputs":[{"name":"input","datatype":")" + datatype + R"(","shape":)" + shape + R"(,"data":)" + data +
         "}]}";
}

TEST(Json, IsRefusedDeeperThanAHundred) {
  EXPECT_NO_THROW(parse_json(std::string(100, '[') + std::string(100, ']')));
  EXPECT_EQ(refusal([] { parse_json(std::string(101, '[') + std::string(101, ']')); }),
            "400 JSON: nested deeper than 100");
  EXPECT_EQ(refusal([] { parse_json(std::string(1 << 20, '[')); }), "400 JSON: nested deeper than 100");
}

TEST(Json, IsRefusedWithTwoMembersOfOneName) {
  EXPECT_EQ(refusal([] { parse_json(R"({"a":1,"b":{"a":2},"a":3})"); }),
            "400 JSON: \"a\" is there twice in one object");
}

TEST(Json, IsRefusedWhereItIsNone) {
  for (const char* text : {"", " ", "{", "[1,]", "nul", "[1] 2", R"("\ud800")", R"("\ud800\u0041")", "\"\xff\"", "[01]",
                           "[NaN]", "[Infinity]", "{'a':1}", "[1e]", "\"\n\""}) {
    EXPECT_EQ(refusal([&] { parse_json(text); }).substr(0, 12), "400 not JSON") << text;
  }
  EXPECT_EQ(refusal([] { parse_json("[1e999]"); }), "400 JSON: the number 1e999 is not finite");
}

TEST(Instances, AreListsOrObjectsInEveryForm) {
  const std::vector<float> one = {1, 2.5, -3, 0.5};
  for (const char* body :
       {R"({"instances":[[1,2.5,-3,0.5]]})", R"( {"instances": [ [1, 2.5, -3, 5e-1] ]})", "[1,2.5,-3,0.5]",
        "[[1,2.5,-3,0.5]]", R"({"d":0.5,"b":2.5,"c":-3,"a":1,"more":null})", R"([{"a":1,"b":2.5,"c":-3,"d":0.5}])",
        R"({"signature_name":"x","instances":[{"a":1,"b":2.5,"c":-3,"d":0.5}]})"}) {
    EXPECT_EQ(instances(body), one) << body;
  }
  EXPECT_EQ(instances(R"({"instances":[[1,2,3,4],[5,6,7,8]]})"), (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Instances, AreRefusedWithTheirPlace) {
  EXPECT_EQ(refused_instances(R"({"instances":[[1,2,3,4],[1,2,3]]})"),
            "400 instances[1]: has 3 numbers, not 4: a, b, c, d");
  EXPECT_EQ(refused_instances(R"({"instances":[{"a":1,"b":2,"c":3}]})"),
            "400 instances[0].d: is missing; the features are a, b, c, d");
  EXPECT_EQ(refused_instances(R"({"instances":[[1,2,"3",4]]})"), "400 instances[0][2]: is not a number but \"3\"");
  EXPECT_EQ(refused_instances(R"({"instances":[[1,2,1e39,4]]})"),
            "400 instances[0][2]: is larger than 1e30, past which a model's sums overflow");
  EXPECT_EQ(refused_instances(R"({"instances":[]})"), "400 instances: has to be a list of one instance or more");
  EXPECT_EQ(refused_instances("3"),
            R"(400 the body has to be {"instances":[…]}, a list of instances, or one instance)");
  EXPECT_EQ(refusal([] { parse_instances(kModel, "[[1,2,3,4]]", Bare::kRefused); }),
            R"(400 the body has to be {"instances":[…]})");
}

TEST(Instances, ThatAreAlmostPlainAreRefusedAsJson) {
  for (const char* body :
       {R"({"instances":[[01,2,3,4]]})", R"({"instances":[[1.,2,3,4]]})", R"({"instances":[[1,2,3,4],]})",
        R"({"instances":[[1,2,3,4]])", R"({"instances":[[1,2,3,]]})", R"({"instances":[[+1,2,3,4]]})"}) {
    EXPECT_EQ(refused_instances(body).substr(0, 12), "400 not JSON") << body;
  }
}

TEST(Instances, PredictionsAreOneObjectEach) {
  Predictions predictions;
  kModel.predict(std::vector<float>{1, 2, 3, 4, 9, 1, 1, 1}, 2, predictions);
  const auto json = nlohmann::json::parse(predictions_json(kModel, predictions, 1, 1));
  EXPECT_EQ(json["predictions"].size(), 1);
  EXPECT_EQ(json["predictions"][0]["label"], "x");
  EXPECT_EQ(json["predictions"][0]["probabilities"].size(), 2);
}

TEST(Inference, TakesDataFlatAndNested) {
  for (const char* data : {"[1,2,3,4,5,6,7,8]", "[[1,2,3,4],[5,6,7,8]]"}) {
    const auto request = parse_inference(kModel, infer_body("FP32", "[2,4]", data), "");
    EXPECT_EQ(request.rows.values, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(request.rows.count, 2);
    EXPECT_EQ(request.outputs.size(), 4);
  }
}

TEST(Inference, TakesNullForWhatIsAbsent) {
  const auto request = parse_inference(
      kModel, R"({"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"input","datatype":"FP32","shape":[1,4],
      "parameters":null,"data":[1,2,3,4]}]})",
      "");
  EXPECT_FALSE(request.id);
  EXPECT_EQ(request.outputs.size(), 4);
  EXPECT_EQ(refused_inference(infer_body("FP32", "[1,4]", "null")), "400 inputs[0].data: is missing");
}

TEST(Inference, TakesEveryTypeThatFits) {
  for (const char* type :
       {"FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}) {
    EXPECT_EQ(parse_inference(kModel, infer_body(type, "[1,4]", "[1,2,3,4]"), "").rows.values,
              (std::vector<float>{1, 2, 3, 4}))
        << type;
  }
  EXPECT_EQ(refused_inference(infer_body("FP16", "[1,4]", "[1,2,65536,4]")), "400 inputs[0].data[2]: 65536 is no FP16");
  EXPECT_EQ(refused_inference(infer_body("UINT8", "[1,4]", "[1,2,256,4]")), "400 inputs[0].data[2]: 256 is no UINT8");
  EXPECT_EQ(refused_inference(infer_body("INT32", "[1,4]", "[1,2,2.5,4]")), "400 inputs[0].data[2]: 2.5 is no INT32");
  EXPECT_EQ(refused_inference(infer_body("INT64", "[1,4]", "[16777217,2,3,4]")),
            "400 inputs[0].data[0]: is an integer that float32 does not hold");
  EXPECT_EQ(refused_inference(infer_body("INT64", "[1,4]", "[9223372036854775808,2,3,4]")),  // as a double, the largest
            "400 inputs[0].data[0]: 9223372036854775808 is no INT64");
  EXPECT_EQ(refused_inference(infer_body("UINT64", "[1,4]", "[18446744073709551615,2,3,4]")),
            "400 inputs[0].data[0]: is an integer that float32 does not hold");
  for (const char* type : {"BOOL", "BYTES", "fp32", ""}) {
    EXPECT_EQ(refused_inference(infer_body(type, "[1,4]", "[1,2,3,4]")),
              "400 inputs[0].datatype: \"" + std::string(type) +
                  "\" cannot be taken; send FP32, FP64, FP16 or an integer type");
  }
}

TEST(Inference, RefusesShapesThatLie) {
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
  };
  for (const auto& [shape, message] : kShapes) {
    EXPECT_EQ(refused_inference(infer_body("FP32", shape, "[1,2,3,4]")), "400 " + std::string(message));
  }
  EXPECT_EQ(refused_inference(infer_body("FP32", "[2,4]", "[[1,2,3],[4,5,6,7,8]]")),
            "400 inputs[0].data: has 3 numbers where its shape says 4");
  EXPECT_EQ(refused_inference(infer_body("FP32", "[1,4]", "[[[1,2,3,4]]]")),
            "400 inputs[0].data: has 1 numbers where its shape says 4");
}

// The JSON and the bytes behind it.
std::pair<std::string, std::string> binary_body(const std::string& datatype, std::size_t size,
                                                const std::string& bytes) {
  const std::string json = R"({"inputs":[{"name":"input","shape":[1,4],"datatype":")" + datatype +
                           R"(","parameters":{"binary_data_size":)" + std::to_string(size) + "}}]}";
  return {json + bytes, std::to_string(json.size())};
}

template <class Number>
std::string bytes_of(std::vector<Number> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

TEST(Inference, TakesBinaryTensors) {
  const std::vector<float> expected = {1, -2, 0.5, 4};
  const auto [fp32, fp32_length] = binary_body("FP32", 16, bytes_of(expected));
  EXPECT_EQ(parse_inference(kModel, fp32, fp32_length).rows.values, expected);
  const auto [fp16, fp16_length] = binary_body("FP16", 8, bytes_of<std::uint16_t>({0x3C00, 0xC000, 0x3800, 0x4400}));
  EXPECT_EQ(parse_inference(kModel, fp16, fp16_length).rows.values, expected);
  const auto [fp64, fp64_length] = binary_body("FP64", 32, bytes_of<double>({1, -2, 0.5, 4}));
  EXPECT_EQ(parse_inference(kModel, fp64, fp64_length).rows.values, expected);
  const auto [int16, int16_length] = binary_body("INT16", 8, bytes_of<std::int16_t>({1, -2, 300, 4}));
  EXPECT_EQ(parse_inference(kModel, int16, int16_length).rows.values, (std::vector<float>{1, -2, 300, 4}));
}

TEST(Inference, RefusesBinarySizesThatLie) {
  const std::string good = bytes_of<float>({1, 2, 3, 4});
  const auto refuse = [&](std::size_t size, const std::string& bytes) {
    const auto [body, length] = binary_body("FP32", size, bytes);
    return refused_inference(body, length);
  };
  const std::string place = "400 inputs[0].parameters.binary_data_size: ";
  EXPECT_EQ(refuse(12, good), place + "12 is not the 16 bytes of its shape and datatype");
  EXPECT_EQ(refuse(16, good.substr(1)), place + "there are only 15 bytes behind the JSON");
  EXPECT_EQ(refuse(16, good + "x"), "400 there are 1 bytes more behind the JSON than the input takes");
  EXPECT_EQ(refuse(16, bytes_of<std::uint32_t>({0x7F800000, 0, 0, 0})),
            "400 inputs[0].data[0]: is not finite as float32");
  const auto [body, length] = binary_body("FP32", 16, good);
  EXPECT_EQ(refused_inference(body, "100000").substr(0, 37), "400 Inference-Header-Content-Length: ");
  EXPECT_EQ(refused_inference(body, "-1").substr(0, 37), "400 Inference-Header-Content-Length: ");
  EXPECT_EQ(refused_inference(body, "").substr(0, 12), "400 not JSON");
}

TEST(Inference, RefusesUnknownAndRepeatedNames) {
  const auto with = [](const std::string& more) {
    return R"({"inputs":[{"name":"input","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}],)" + more + "}";
  };
  EXPECT_EQ(refused_inference(with(R"("outputs":[{"name":"nothing"}])")),
            "400 outputs[0].name: there is no output \"nothing\"; there are probabilities, logits, label and index");
  EXPECT_EQ(refused_inference(with(R"("outputs":[{"name":"label"},{"name":"label"}])")),
            "400 outputs[1].name: label is asked for twice");
  EXPECT_EQ(refused_inference(R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}]})"),
            "400 inputs[0].name: there is no input \"x\"; the only one is \"input\"");
  EXPECT_EQ(refused_inference(with(R"("id":3)")), "400 id: is not a text");
  EXPECT_EQ(refused_inference(with(R"("parameters":{"timeout":-1})")),
            "400 parameters.timeout: is not a whole number from 0");
  EXPECT_EQ(parse_inference(kModel, with(R"("parameters":{"timeout":7})"), "").timeout, std::chrono::microseconds(7));
}

TEST(Inference, AnswersInJsonAndBinaryAsEachOutputAsks) {
  const auto request = parse_inference(kModel, R"({"id":"7","inputs":[{"name":"input","datatype":"FP32","shape":[1,4],
      "data":[9,2,3,4]}],"parameters":{"binary_data_output":true},"outputs":[{"name":"label"},{"name":"index"},
      {"name":"logits","parameters":{"binary_data":false}}]})",
                                       "");
  Predictions predictions;
  kModel.predict(request.rows.values, 1, predictions);
  const Response response = inference_response("m", kModel, request, predictions, 0);
  EXPECT_STREQ(response.content_type, "application/octet-stream");
  ASSERT_EQ(response.headers.size(), 1);
  EXPECT_EQ(response.headers[0].first, kInferenceHeaderLength);
  const std::size_t length = std::stoul(response.headers[0].second);
  const auto json = nlohmann::json::parse(response.body.substr(0, length));
  EXPECT_EQ(json["id"], "7");
  EXPECT_EQ(
      json["outputs"][0],
      nlohmann::json::parse(R"({"name":"label","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}})"));
  EXPECT_EQ(json["outputs"][2]["data"], (std::vector<float>{9, 2}));
  EXPECT_EQ(response.body.substr(length), std::string("\1\0\0\0x", 5) + std::string(8, '\0'));
}

TEST(Compression, GivesBackWhatWasPacked) {
  const std::string text(100'000, 'a');
  for (const char* coding : {"gzip", "deflate"}) {
    EXPECT_EQ(decoded(encoded(text, coding), coding, text.size()), text);
    EXPECT_EQ(refusal([&] { decoded(encoded(text, coding), coding, text.size() - 1); }),
              "413 the body is larger than 99999 bytes once it is unpacked");
    const std::string packed = encoded(text, coding);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      EXPECT_EQ(refusal([&] { decoded(packed.substr(0, size), coding, text.size()); }).substr(0, 14), "400 the packed")
          << size;
    }
    EXPECT_NE(refusal([&] { decoded(packed + "x", coding, text.size()); }), "nothing was refused");
  }
  EXPECT_EQ(decoded(encoded("a", "gzip") + encoded("b", "gzip"), "gzip", 10), "ab");
  EXPECT_EQ(refusal([] { decoded("", "br", 10); }),
            "415 Content-Encoding: \"br\" is not known here; send gzip, deflate or the plain body");
}

TEST(Compression, IsChosenByName) {
  EXPECT_EQ(accepted_coding("gzip, deflate"), "gzip");
  EXPECT_EQ(accepted_coding("deflate;q=0.5"), "deflate");
  EXPECT_EQ(accepted_coding("gzip;q=0, deflate"), "deflate");
  EXPECT_EQ(accepted_coding("br"), "");
  EXPECT_EQ(accepted_coding(""), "");
}

}  // namespace
}  // namespace iris::serve
