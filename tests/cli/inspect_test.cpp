#include "cli/inspect.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "error.h"
#include "support/command_line.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/read_file_bytes.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using nlohmann::ordered_json;
using test::fixture;

InspectText inspected(const std::string& path, const InspectOptions& options = {}) {
  InspectOptions its_options = options;
  its_options.model = path;
  return inspect_text(read_model_file(path), its_options);
}

ordered_json json_of(const std::string& path) {
  InspectOptions options;
  options.json = true;
  return ordered_json::parse(inspected(path, options).result);
}

TEST(InspectText, ListsTheTensorsAsPythonPrintsThem) {
  EXPECT_EQ(inspected(fixture("iris_net.pt")).result,
            "fc1.weight (16, 4)\nfc1.bias (16,)\nfc2.weight (3, 16)\nfc2.bias (3,)\n");
}

TEST(InspectText, SumsUpAStateDict) {
  const std::string path = fixture("iris_net.pt");
  EXPECT_EQ(inspected(path).summary, path + ": state_dict (zip), 4 tensors, 131 parameters, 524 bytes\n");
}

TEST(InspectText, SumsUpACheckpointWithItsOtherEntries) {
  const std::string path = fixture("checkpoint.pt");
  EXPECT_EQ(inspected(path).summary,
            path +
                ": checkpoint (zip), shown: model_state_dict, 4 tensors, 131 parameters, 524 "
                "bytes\n  epoch: 10\n  optimizer_state_dict: dict of 2 entries\n  loss: 0.25\n");
}

TEST(InspectText, SaysThatTheContainerIsLegacy) {
  EXPECT_NE(inspected(fixture("legacy.pt")).summary.find(": state_dict (legacy), "), std::string::npos);
}

TEST(InspectText, ShowsTheNamesOfATorchScript) {
  const std::string summary = inspected(fixture("iris_net.ts.pt")).summary;
  EXPECT_NE(summary.find(": torchscript (zip), "), std::string::npos);
  EXPECT_NE(summary.find("\n  labels: [\"setosa\",\"versicolor\",\"virginica\"]\n"), std::string::npos);
}

TEST(InspectText, CallsStandardInputStdin) {
  InspectOptions options;
  options.model = "-";
  EXPECT_TRUE(
      inspect_text(read_model_file(fixture("iris_net.pt")), options).summary.starts_with("stdin: state_dict (zip)"));
}

TEST(InspectText, MakesAHostileNameFitForATerminal) {
  const TensorFile file = test::read_bytes(
      test::torch_zip(test::pickle_of(test::push_dict({test::push_text("a\x1b[31m"), test::push_tensor()})),
                      {{"0", std::string(24, 'd')}}));
  const test::MemoryFile bytes(
      test::torch_zip(test::pickle_of(test::push_dict({test::push_text("a\x1b[31m"), test::push_tensor()})),
                      {{"0", std::string(24, 'd')}}));
  EXPECT_EQ(inspected(bytes.path()).result, "a\\x1b[31m (2, 3)\n");
}

TEST(InspectText, PutsTheFilesNameBeforeWhatIsWrongWithIt) {
  const std::string path = fixture("two_models.pt");
  InspectOptions options;
  options.key = "netQ";
  EXPECT_TRUE(test::error_of<FormatError>([&] { inspected(path, options); }).starts_with(path + ": "));
}

TEST(InspectJson, HasEveryTensorsNameShapeAndDtype) {
  const ordered_json json = json_of(fixture("iris_net.pt"));
  EXPECT_EQ(json["kind"], "state_dict");
  EXPECT_EQ(json["container"], "zip");
  EXPECT_EQ(json["tensors"][1].dump(), R"({"name":"fc1.bias","shape":[16],"dtype":"float32"})");
  EXPECT_EQ(json["parameters"], 131);
  EXPECT_EQ(json["bytes"], 524);
  EXPECT_FALSE(json.contains("key") || json.contains("entries"));
}

TEST(InspectJson, HasTheOtherEntriesOfACheckpoint) {
  const ordered_json json = json_of(fixture("checkpoint.pt"));
  EXPECT_EQ(json["key"], "model_state_dict");
  EXPECT_EQ(json["entries"]["epoch"], 10);
  EXPECT_EQ(json["entries"]["loss"], 0.25);
}

TEST(InspectJson, HasTheNamesOfATorchScript) {
  EXPECT_EQ(json_of(fixture("iris_net.ts.pt"))["entries"]["features"][0], "sepal_length");
}

TEST(InspectJson, HasNoSummary) {
  InspectOptions options;
  options.json = true;
  EXPECT_EQ(inspected(fixture("iris_net.pt"), options).summary, "");
}

TEST(InspectVerb, RefusesNoModel) { EXPECT_EQ(test::usage_error(add_inspect, {"inspect"}), "MODEL is required"); }

}  // namespace
}  // namespace iris
