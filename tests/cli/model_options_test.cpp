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
    add_model_options(app, names, options, allows_tf32);
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  }
  TypedNames names;
  ClassifierOptions options;
  bool allows_tf32 = false;
};

std::string parse_error(const std::vector<std::string>& words) {
  return test::error_of<CLI::ParseError>([&] { const Parsed parsed(words); });
}

TEST(ModelOptions, LeaveAllToTheModelsFileByDefault) {
  const Parsed parsed({});
  EXPECT_EQ(parsed.options.device, "auto");
  EXPECT_FALSE(parsed.options.dtype || parsed.options.key || parsed.options.hidden || parsed.allows_tf32);
  EXPECT_FALSE(parsed.names.features || parsed.names.labels);
}

TEST(ModelOptions, TakeADtype) { EXPECT_EQ(Parsed({"--dtype", "bfloat16"}).options.dtype, WeightDtype::kBFloat16); }

TEST(ModelOptions, RefuseAnotherDtype) {
  EXPECT_EQ(parse_error({"--dtype", "int8"}), "--dtype: int8 not in {float32,bfloat16,float16}");
}

TEST(ModelOptions, TakeAKey) { EXPECT_EQ(Parsed({"--key", "netG"}).options.key, "netG"); }

TEST(ModelOptions, TakeTheHiddenUnits) { EXPECT_EQ(Parsed({"--hidden", "32"}).options.hidden, 32); }

TEST(ModelOptions, RefuseNoHiddenUnits) {
  EXPECT_EQ(parse_error({"--hidden", "0"}), "--hidden: must be a whole number from 1 to 1048576, got \"0\"");
}

TEST(ModelOptions, TakeADeviceAsItIsTyped) { EXPECT_EQ(Parsed({"--device", "cuda:1"}).options.device, "cuda:1"); }

TEST(ModelOptions, TakeTf32) { EXPECT_TRUE(Parsed({"--allow-tf32"}).allows_tf32); }

TEST(ModelOptions, SplitTheNames) {
  ClassifierOptions options;
  set_names({.features = "a,b", .labels = "c"}, options);
  EXPECT_EQ(options.features, Names({"a", "b"}));
  EXPECT_EQ(options.labels, Names({"c"}));
}

TEST(ModelOptions, SayWhichNamesAreWrong) {
  ClassifierOptions options;
  EXPECT_EQ(test::error_of<UsageError>([&] { set_names({.features = "a,a", .labels = {}}, options); }),
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

}  // namespace
}  // namespace iris
