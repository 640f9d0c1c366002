// The figures of a run's epochs, and the CSV file of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iris {

// Losses are means per row, accuracies are shares of the rows, 0 to 1. `loss` is the mean over the epoch's rows, each
// taken before its batch's step; the other figures are of the weights after the epoch.
struct EpochRecord {
  std::int64_t epoch = 0;  // from 1
  double loss = 0;
  double accuracy = 0;
  double test_loss = 0;
  double test_accuracy = 0;
  std::optional<double> validation_loss = {};  // with early stopping
  std::optional<double> validation_accuracy = {};

  // Calls visit(name, member) for each, in the order of a file.
  template <typename Record, typename Visit>
  static void visit(Record& record, Visit&& visit) {
    visit("epoch", record.epoch);
    visit("loss", record.loss);
    visit("accuracy", record.accuracy);
    visit("test_loss", record.test_loss);
    visit("test_accuracy", record.test_accuracy);
    visit("validation_loss", record.validation_loss);
    visit("validation_accuracy", record.validation_accuracy);
  }
};

// A header and a line for each epoch: epoch,loss,accuracy,test_loss,test_accuracy; where the run validates, also
// validation_loss,validation_accuracy. Numbers have 9 digits (%.9g).
std::string history_csv(const std::vector<EpochRecord>& history, bool validates);

}  // namespace iris
