// The options of every verb that runs a model.
#pragma once

#include <optional>
#include <string>

#include "model/classifier.h"

namespace CLI {
class App;
}

namespace iris {

// Names with commas between them, as typed.
struct TypedNames {
  std::optional<std::string> features;
  std::optional<std::string> labels;
};

// --device, --allow-tf32.
void add_device_options(CLI::App& command, std::string& device, bool& allows_tf32);

// Those, and --features, --labels, --key, --hidden, --dtype.
void add_model_options(CLI::App& command, TypedNames& names, ClassifierOptions& options, bool& allows_tf32);

// Throws UsageError where both are "-": standard input can be read only once.
void check_standard_input(const std::string& model, const std::string& rows);

// Puts the names that were typed into the options. Throws UsageError for an empty name, or one that is there twice.
void set_names(const TypedNames& names, ClassifierOptions& options);

}  // namespace iris
