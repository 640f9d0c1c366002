#include "cli/predict.h"

#include <gtest/gtest.h>

#include "error.h"
#include "rows/chunk_reader.h"
#include "support/command_line.h"
#include "support/errors.h"

namespace iris {
namespace {

using test::error_of;

PredictOptions rows(const std::string& input, const std::string& output = "-") {
  PredictOptions typed;
  typed.model.path = "model.pt";
  typed.input = input;
  typed.output = output;
  return typed;
}

std::string usage_error(const PredictOptions& typed) {
  return error_of<UsageError>([&] { settled(typed); });
}

std::string typed_error(const std::vector<std::string>& words) { return test::usage_error(add_predict, words); }

TEST(PredictFormats, AreCsvByDefault) {
  const PredictOptions options = settled(rows("-"));
  EXPECT_EQ(options.input_format, RowFormat::kCsv);
  EXPECT_EQ(options.output_format, RowFormat::kCsv);
}

TEST(PredictFormats, FollowTheInputsName) {
  EXPECT_EQ(settled(rows("flowers.ndjson")).input_format, RowFormat::kNdjson);
  EXPECT_EQ(settled(rows("flowers.jsonl")).input_format, RowFormat::kNdjson);
  EXPECT_EQ(settled(rows("flowers.txt")).input_format, RowFormat::kCsv);
}

TEST(PredictFormats, OfTheOutputAreThoseOfTheInput) {
  EXPECT_EQ(settled(rows("flowers.ndjson", "answers")).output_format, RowFormat::kNdjson);
}

TEST(PredictFormats, OfTheOutputFollowItsName) {
  EXPECT_EQ(settled(rows("flowers.ndjson", "answers.csv")).output_format, RowFormat::kCsv);
  EXPECT_EQ(settled(rows("flowers.csv", "answers.jsonl")).output_format, RowFormat::kNdjson);
}

TEST(PredictFormats, OfTheOutputAreNdjsonWithJson) {
  PredictOptions typed = rows("flowers.csv", "answers.csv");
  typed.json = true;
  EXPECT_EQ(settled(typed).output_format, RowFormat::kNdjson);
}

TEST(PredictFormats, AreTheTypedOnesWhateverTheNames) {
  PredictOptions typed = rows("flowers.csv", "answers.ndjson");
  typed.input_format = RowFormat::kNdjson;
  typed.output_format = RowFormat::kCsv;
  EXPECT_EQ(settled(typed).input_format, RowFormat::kNdjson);
  EXPECT_EQ(settled(typed).output_format, RowFormat::kCsv);
}

TEST(PredictFormats, OfTheOutputAreThoseThatWereTypedForTheInput) {
  PredictOptions typed = rows("-");
  typed.input_format = RowFormat::kNdjson;
  EXPECT_EQ(settled(typed).output_format, RowFormat::kNdjson);
}

TEST(PredictOptions, RefuseNothingToPredict) {
  EXPECT_EQ(usage_error(rows("")), "nothing to predict: give one sample's features, or many with -i FILE");
}

TEST(PredictOptions, RefuseASampleBesideRows) {
  PredictOptions typed = rows("flowers.csv");
  typed.sample = {"1"};
  EXPECT_EQ(usage_error(typed), "give one sample's features or -i FILE, not both");
}

TEST(PredictOptions, RefuseStandardInputForBothModelAndRows) {
  PredictOptions typed = rows("-");
  typed.model.path = "-";
  EXPECT_EQ(usage_error(typed), "the model and the rows cannot both come from standard input");
}

TEST(PredictOptions, RefuseToReplaceTheModel) {
  EXPECT_EQ(usage_error(rows("flowers.csv", "model.pt")), "-o model.pt would replace the model; write to another file");
}

TEST(PredictOptions, RefuseToReplaceTheRows) {
  EXPECT_EQ(usage_error(rows("flowers.csv", "flowers.csv")),
            "-o flowers.csv would replace the rows; write to another file");
}

TEST(PredictOptions, RefuseJsonAsCsv) {
  PredictOptions typed = rows("flowers.csv");
  typed.json = true;
  typed.output_format = RowFormat::kCsv;
  EXPECT_EQ(usage_error(typed), "--json and --output-format csv contradict each other");
}

TEST(PredictVerb, RefusesAnotherWordForOnError) {
  EXPECT_EQ(typed_error({"predict", "m.pt", "-i", "a.csv", "--on-error", "go"}), "--on-error: go not in {stop,skip}");
}

TEST(PredictVerb, RefusesAnotherFormat) {
  EXPECT_EQ(typed_error({"predict", "m.pt", "-i", "a.csv", "--input-format", "xml"}),
            "--input-format: xml not in {csv,ndjson}");
}

TEST(PredictVerb, RefusesOptionsForRowsWithoutRows) {
  EXPECT_EQ(typed_error({"predict", "m.pt", "1", "--on-error", "skip"}), "--on-error requires --input");
}

TEST(PredictVerb, RefusesNoModel) { EXPECT_EQ(typed_error({"predict"}), "MODEL is required"); }

TEST(PredictVerb, RefusesNoWorkers) {
  EXPECT_EQ(typed_error({"predict", "m.pt", "-i", "a.csv", "--workers", "0"}),
            "--workers: must be a whole number from 1 to 1024, got \"0\"");
}

TEST(PredictVerb, ChecksTheOptionsBeforeItLoadsAnything) {
  EXPECT_EQ(typed_error({"predict", "m.pt"}), "nothing to predict: give one sample's features, or many with -i FILE");
}

}  // namespace
}  // namespace iris
