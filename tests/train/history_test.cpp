#include "train/history.h"

#include <gtest/gtest.h>

namespace iris {
namespace {

TEST(History, HasALineForEachEpochWithNineDigits) {
  const std::vector<EpochRecord> history = {{1, 1.0 / 3, 0.5, 2e-10, 1, {}, {}}, {2, 123456789.25, 0, 0, 0.25, {}, {}}};
  EXPECT_EQ(history_csv(history, false),
            "epoch,loss,accuracy,test_loss,test_accuracy\n"
            "1,0.333333333,0.5,2e-10,1\n"
            "2,123456789,0,0,0.25\n");
}

TEST(History, HasTheValidationWhereThereIsOne) {
  EXPECT_EQ(history_csv({{1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.75}}, true),
            "epoch,loss,accuracy,test_loss,test_accuracy,validation_loss,validation_accuracy\n"
            "1,0.5,0.5,0.5,0.5,0.25,0.75\n");
}

TEST(History, OfNoEpochIsAHeader) {
  EXPECT_EQ(history_csv({}, false), "epoch,loss,accuracy,test_loss,test_accuracy\n");
}

}  // namespace
}  // namespace iris
