// A run's history as a CSV file.
#pragma once

#include <string>
#include <vector>

#include "train/checkpoint.h"

namespace iris {

// A header and a line for each epoch: epoch,loss,accuracy,test_loss,test_accuracy; where the run validates, also
// validation_loss,validation_accuracy. Numbers have 9 digits (%.9g).
std::string history_csv(const std::vector<EpochRecord>& history, bool validates);

}  // namespace iris
