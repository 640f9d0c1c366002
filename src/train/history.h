// A run's history as a CSV file.
#pragma once

#include <string>
#include <vector>

#include "train/checkpoint.h"

namespace iris {

// A header and a line for each epoch, the numbers with 9 digits (%.9g): epoch,loss,accuracy,test_loss,test_accuracy
// and, where the run validates, validation_loss,validation_accuracy.
std::string history_csv(const std::vector<EpochRecord>& history, bool validates);

}  // namespace iris
