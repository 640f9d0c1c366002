// The options of every verb that runs a model.
#pragma once

#include <optional>
#include <string>

#include "cli/verbs.h"
#include "model/classifier.h"

namespace CLI {
class Option;
}

namespace iris {

struct ModelOptions {
  std::string path;
  ClassifierOptions classifier;
  bool allows_tf32 = false;
  std::optional<int> threads;
};

// An option that takes names with commas between them, quoted as in CSV. Parsing throws UsageError for an empty name, a
// name that is there twice, a line break outside quotes, or wrong quoting.
CLI::Option* add_names(CLI::App& command, const std::string& option, std::vector<std::string>& names,
                       const std::string& description);

// --device, --allow-tf32.
void add_device_options(CLI::App& command, DeviceName& device, bool& allows_tf32);

// All but the path: --features, --labels, --key, --hidden, --dtype, --outputs, --threads and the device's.
// threads_default: for the help, such as "1; ". `options` must outlive the command.
void add_model_options(CLI::App& command, ModelOptions& options, const std::string& threads_default = "");

// Throws UsageError where both name standard input (io/descriptor_path.h): standard input can be read only once.
void check_standard_input(const std::string& model, const std::string& rows);

}  // namespace iris
