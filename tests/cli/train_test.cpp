#include "cli/train.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "error.h"
#include "support/command_line.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

TrainOptions options_of(const std::string& data = "data.csv", const std::string& output = "model.pt") {
  TrainOptions options;
  options.data = data;
  options.output = output;
  return options;
}

std::string usage_error(const TrainOptions& options) {
  return test::error_of<UsageError>([&] { settled(options); });
}

bool resumes_folder(const std::string& path, const std::optional<std::string>& checkpoint_dir = {}) {
  TrainOptions options = options_of();
  options.resume = path;
  options.checkpoint_dir = checkpoint_dir;
  return settled(options).resumes_folder;
}

TEST(Resume, IsOfAFolderThatIsThere) {
  const test::TempFolder folder;
  EXPECT_TRUE(resumes_folder(folder / ""));
}

TEST(Resume, IsOfOneCheckpointElse) {
  const test::TempFolder folder;
  test::write_file(folder / "epoch-000010.pt", "");
  EXPECT_FALSE(resumes_folder(folder / "epoch-000010.pt"));
  EXPECT_FALSE(resumes_folder(folder / "missing.pt", folder / "run1"));
}

TEST(Resume, IsOfTheCheckpointFolderThoughItIsNotThereYet) {
  const test::TempFolder folder;
  EXPECT_TRUE(resumes_folder(folder / "run1", folder / "run1"));
}

TEST(Resume, IsOfTheCheckpointFolderHoweverItIsWritten) {
  const test::TempFolder folder;
  std::filesystem::create_directory_symlink(folder / "", folder / "link");
  EXPECT_TRUE(resumes_folder(folder / "link/./run1/", folder / "run1"));
  EXPECT_TRUE(resumes_folder("not-there-yet/", "./not-there-yet"));
}

TEST(TrainOptions, TakeTheCountOfCheckpointsForAFolder) {
  const test::TempFolder folder;
  TrainOptions options = options_of();
  options.keep = 3;
  options.checkpoint_dir = "run1";
  EXPECT_EQ(usage_error(options), "");
  options.checkpoint_dir.reset();
  options.resume = folder / "";
  EXPECT_EQ(usage_error(options), "");
}

TEST(TrainOptions, RefuseToKeepCheckpointsWithoutAFolder) {
  TrainOptions options = options_of();
  options.keep = 3;
  EXPECT_EQ(usage_error(options), "--checkpoint-every and --keep are for --checkpoint-dir");
}

TEST(TrainOptions, RefuseToWriteCheckpointsWithoutAFolder) {
  TrainOptions options = options_of();
  options.checkpoint_every = 3;
  options.resume = "epoch-000010.pt";
  EXPECT_EQ(usage_error(options), "--checkpoint-every and --keep are for --checkpoint-dir");
}

TEST(TrainOptions, RefuseToReplaceTheData) {
  EXPECT_EQ(usage_error(options_of("data.csv", "data.csv")),
            "-o data.csv would replace the data; write to another file");
}

TEST(TrainOptions, RefuseAHistoryThatWouldReplaceTheData) {
  TrainOptions options = options_of();
  options.history = "data.csv";
  EXPECT_EQ(usage_error(options), "--history data.csv would replace the data; write to another file");
}

TEST(TrainOptions, RefuseOneFileForHistoryAndModel) {
  TrainOptions options = options_of();
  options.history = "./model.pt";
  EXPECT_EQ(usage_error(options), "--history and -o name one file");
}

TEST(TrainOptions, RefuseStdoutForBothHistoryAndModel) {
  TrainOptions options = options_of("data.csv", "-");
  for (const char* name : {"-", "/dev/stdout", "/proc/self/fd/1"}) {
    options.history = name;
    EXPECT_EQ(usage_error(options), "--history and -o name one file");
  }
}

TEST(TrainOptions, CallStdoutByOneName) { EXPECT_EQ(settled(options_of("data.csv", "/dev/stdout")).output, "-"); }

TEST(TrainOptions, RefuseAModelThatWouldReplaceTheCheckpoint) {
  TrainOptions options = options_of();
  options.resume = "model.pt";
  EXPECT_EQ(usage_error(options), "model.pt would replace the checkpoint; write to another file");
}

TEST(TrainOptions, RefuseAHistoryThatWouldReplaceTheCheckpoint) {
  TrainOptions options = options_of();
  options.history = "history.csv";
  options.resume = "history.csv";
  EXPECT_EQ(usage_error(options), "history.csv would replace the checkpoint; write to another file");
}

TEST(TrainVerb, ChecksTheOptionsBeforeItLoadsAnything) {
  EXPECT_EQ(test::usage_error(add_train, {"train", "d.csv", "-o", "m.pt", "--keep", "1"}),
            "--checkpoint-every and --keep are for --checkpoint-dir");
}

TEST(TrainVerb, RefusesNoOutput) {
  EXPECT_EQ(test::usage_error(add_train, {"train", "d.csv"}), "--output is required");
}

}  // namespace
}  // namespace iris
