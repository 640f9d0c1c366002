#include "cli/evaluate.h"

#include <gtest/gtest.h>

#include "support/command_line.h"

namespace iris {
namespace {

TEST(EvaluateVerb, RefusesStandardInputForBothModelAndRows) {
  EXPECT_EQ(test::usage_error(add_evaluate, {"evaluate", "-", "-"}),
            "the model and the rows cannot both come from standard input");
}

TEST(EvaluateVerb, RefusesNoData) {
  EXPECT_EQ(test::usage_error(add_evaluate, {"evaluate", "m.pt"}), "DATA is required");
}

TEST(EvaluateVerb, RefusesABatchOfNoRows) {
  EXPECT_EQ(test::usage_error(add_evaluate, {"evaluate", "m.pt", "d.csv", "--batch-size", "0"}),
            "--batch-size: must be a whole number from 1 to 16777216, got \"0\"");
}

}  // namespace
}  // namespace iris
