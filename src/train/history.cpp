#include "train/history.h"

#include <cstdint>
#include <cstdio>
#include <optional>

namespace iris {
namespace {

std::string text_of(std::int64_t value) { return std::to_string(value); }

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string text_of(const std::optional<double>& value) { return value ? text_of(*value) : ""; }

}  // namespace

std::string history_csv(const std::vector<EpochRecord>& history, bool validates) {
  std::string text;
  const auto append_line = [&](const EpochRecord& record, bool is_header) {
    std::string line;
    EpochRecord::visit(record, [&](const std::string& name, const auto& value) {
      if (validates || !name.starts_with("validation_")) {
        line += (line.empty() ? "" : ",") + (is_header ? name : text_of(value));
      }
    });
    text += line + "\n";
  };
  append_line({}, true);
  for (const EpochRecord& record : history) {
    append_line(record, false);
  }
  return text;
}

}  // namespace iris
