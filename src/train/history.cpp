#include "train/history.h"

#include <cstdio>

namespace iris {

std::string history_csv(const std::vector<EpochRecord>& history, bool validates) {
  std::string csv = "epoch,loss,accuracy,test_loss,test_accuracy";
  csv += validates ? ",validation_loss,validation_accuracy\n" : "\n";
  for (const EpochRecord& record : history) {
    char text[128];
    std::snprintf(text, sizeof text, "%lld,%.9g,%.9g,%.9g,%.9g", static_cast<long long>(record.epoch), record.loss,
                  record.accuracy, record.test_loss, record.test_accuracy);
    csv += text;
    if (validates) {
      std::snprintf(text, sizeof text, ",%.9g,%.9g", *record.validation_loss, *record.validation_accuracy);
      csv += text;
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace iris
