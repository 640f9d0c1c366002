#include "cli/model_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

using Names = std::vector<std::string>;

struct Parsed {
  explicit Parsed(const std::vector<std::string>& words) {
    CLI::App app;
    add_model_options(app, options);
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  }
  ModelOptions options;
};

std::string parse_error(const std::vector<std::string>& words) {
  return test::error_of<CLI::ParseError>([&] { const Parsed parsed(words); });
}

Names labels(const std::string& typed) { return Parsed({"--labels", typed}).options.classifier.labels; }

std::string error_of_names(const std::string& typed) {
  return test::error_of<UsageError>([&] { labels(typed); });
}

TEST(ModelOptions, LeaveAllToTheModelsFileByDefault) {
  const ModelOptions options = Parsed({}).options;
  EXPECT_EQ(options.classifier.device.kind, DeviceName::Kind::kAuto);
  EXPECT_FALSE(options.classifier.dtype || options.classifier.key || options.classifier.hidden);
  EXPECT_TRUE(options.classifier.features.empty() && options.classifier.labels.empty());
  EXPECT_FALSE(options.allows_tf32 || options.threads);
}

TEST(ModelOptions, TakeADtype) {
  EXPECT_EQ(Parsed({"--dtype", "bfloat16"}).options.classifier.dtype, WeightDtype::kBFloat16);
}

TEST(ModelOptions, RefuseAnotherDtype) {
  EXPECT_EQ(parse_error({"--dtype", "int8"}), "--dtype: int8 not in {float32,bfloat16,float16}");
}

TEST(ModelOptions, TakeAKey) { EXPECT_EQ(Parsed({"--key", "netG"}).options.classifier.key, "netG"); }

TEST(ModelOptions, TakeTheHiddenUnits) { EXPECT_EQ(Parsed({"--hidden", "32"}).options.classifier.hidden, 32); }

TEST(ModelOptions, RefuseNoHiddenUnits) {
  EXPECT_EQ(parse_error({"--hidden", "0"}), "--hidden: must be a whole number from 1 to 1048576, got \"0\"");
}

TEST(ModelOptions, TakeADeviceAsItIsTyped) {
  EXPECT_EQ(Parsed({"--device", "cuda:1"}).options.classifier.device.index, 1);
}

TEST(ModelOptions, TakeTf32) { EXPECT_TRUE(Parsed({"--allow-tf32"}).options.allows_tf32); }

TEST(ModelOptions, TakeThreads) { EXPECT_EQ(Parsed({"--threads", "3"}).options.threads, 3); }

TEST(ModelOptions, HaveTheTypedFeatures) {
  EXPECT_EQ(Parsed({"--features", "a,b"}).options.classifier.features, Names({"a", "b"}));
}

TEST(ModelOptions, SayWhichNamesAreWrong) {
  EXPECT_EQ(test::error_of<UsageError>([] { const Parsed parsed({"--features", "a,a"}); }),
            "--features: \"a\" is there twice");
}

TEST(StandardInput, IsRefusedForBothModelAndRows) {
  EXPECT_EQ(test::error_of<UsageError>([] { check_standard_input("-", "-"); }),
            "the model and the rows cannot both come from standard input");
}

TEST(StandardInput, IsTakenForOne) {
  check_standard_input("-", "rows.csv");
  check_standard_input("model.pt", "-");
}

TEST(NameList, SplitsAtCommas) { EXPECT_EQ(labels("a,b,c"), Names({"a", "b", "c"})); }

TEST(NameList, TakesOneName) { EXPECT_EQ(labels("a"), Names({"a"})); }

TEST(NameList, TakesACommaInQuotes) { EXPECT_EQ(labels("a,\"b,c\""), Names({"a", "b,c"})); }

TEST(NameList, TakesADoubledQuoteForOne) { EXPECT_EQ(labels(R"("a ""b""")"), Names({R"(a "b")"})); }

TEST(NameList, TakesALineBreakInQuotes) { EXPECT_EQ(labels("\"a\nb\",c"), Names({"a\nb", "c"})); }

TEST(NameList, RefusesAnEmptyName) { EXPECT_EQ(error_of_names("a,,c"), "--labels: a name is empty; write a,b,c"); }

TEST(NameList, RefusesAnEmptyText) { EXPECT_EQ(error_of_names(""), "--labels: a name is empty; write a,b,c"); }

TEST(NameList, RefusesANameThatIsThereTwice) { EXPECT_EQ(error_of_names("a,b,a"), "--labels: \"a\" is there twice"); }

TEST(NameList, RefusesALineBreakOutsideQuotes) {
  EXPECT_EQ(error_of_names("a\nb"), "--labels: there is a line break in it; put the name with it in double quotes");
}

TEST(NameList, RefusesAQuoteThatStaysOpen) {
  EXPECT_TRUE(error_of_names("a,\"b").ends_with(R"(; write a,"b,c","a ""d""")"));
}

}  // namespace
}  // namespace iris
