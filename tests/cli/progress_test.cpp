#include "cli/progress.h"

#include <gtest/gtest.h>

namespace iris {
namespace {

TEST(ProgressText, ShowsTheShareTheTimeLeftAndTheRate) {
  EXPECT_EQ(progress_text(10, 500, "rows", 1, 2, ""),
            "[############............]  50%  0:10 left  500 rows  50 rows/s");
}

TEST(ProgressText, ShowsMinutesAndSeconds) {
  EXPECT_EQ(progress_text(10, 5, "MiB", 1, 10, ""), "[##......................]  10%  1:30 left  5 MiB  0 MiB/s");
}

TEST(ProgressText, ShowsNoTimeAtTheBeginning) {
  EXPECT_EQ(progress_text(1, 0, "rows", 0, 2, ""), "[........................]   0%  0 rows  0 rows/s");
}

TEST(ProgressText, ShowsAllWhereTheInputHasGrown) {
  EXPECT_EQ(progress_text(1, 3, "rows", 3, 2, ""), "[########################] 100%  0:00 left  3 rows  3 rows/s");
}

TEST(ProgressText, ShowsTheRateAloneOfAPipe) {
  EXPECT_EQ(progress_text(2, 500, "rows", 1, std::nullopt, ""), "500 rows  250 rows/s");
}

TEST(ProgressText, EndsWithTheNote) {
  EXPECT_EQ(progress_text(2, 4, "epochs", 4, std::nullopt, "loss 0.1"), "4 epochs  2 epochs/s  loss 0.1");
}

TEST(Progress, DrawsNothingWhereStderrIsNotATerminal) {
  ::testing::internal::CaptureStderr();  // a file
  {
    Progress progress(false, "rows", 1);
    progress.show(1, 1, 2);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, SaysALineWhereStderrIsNotATerminal) {
  ::testing::internal::CaptureStderr();
  Progress(false, "rows", 1).say("iris: 2 rows were skipped");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "iris: 2 rows were skipped\n");
}

TEST(Progress, SaysALineThoughItIsQuiet) {
  ::testing::internal::CaptureStderr();
  Progress(true, "rows", 1).say("iris: 2 rows were skipped");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "iris: 2 rows were skipped\n");
}

}  // namespace
}  // namespace iris
