// iris inspect: its options, and what it prints.
#pragma once

#include <optional>
#include <string>

#include "model/file/model_file.h"

namespace iris {

struct InspectOptions {
  std::string model;
  std::optional<std::string> key;
  bool json = false;
};

struct InspectText {
  std::string result;   // for stdout
  std::string summary;  // for stderr; empty with --json
};

// Throws FormatError("PATH: …"), and UsageError for a key where there is only one model.
InspectText inspect_text(const ModelFile& file, const InspectOptions& options);

}  // namespace iris
