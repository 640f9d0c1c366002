#include "cli/model_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/number_option.h"
#include "error.h"
#include "pickle/text.h"

namespace iris {
namespace {

std::vector<std::string> split_names(const std::string& option, const std::optional<std::string>& typed) {
  std::vector<std::string> names;
  for (std::size_t start = 0; typed && start <= typed->size();) {
    const std::size_t comma = std::min(typed->find(',', start), typed->size());
    const std::string name = typed->substr(start, comma - start);
    if (name.empty()) {
      throw UsageError(option + ": a name is empty; write a,b,c");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      throw UsageError(option + ": " + pickle::quoted(name) + " is there twice");
    }
    names.push_back(name);
    start = comma + 1;
  }
  return names;
}

}  // namespace

void add_model_options(CLI::App& command, TypedNames& names, ClassifierOptions& options) {
  command.add_option("--features", names.features, "Names of the features, in order: a,b,c");
  command.add_option("--labels", names.labels, "Names of the classes, in order: a,b,c");
  command.add_option("--key", options.key, "Which dictionary of a checkpoint is the state_dict");
  command.add_option("--hidden", options.hidden, "IrisNet's hidden units (16)")->transform(whole_number(1, 1 << 20));
  command.add_option("--device", options.device, "auto (CUDA when there is one), cpu, cuda or cuda:N");
}

void set_names(const TypedNames& names, ClassifierOptions& options) {
  options.features = split_names("--features", names.features);
  options.labels = split_names("--labels", names.labels);
}

}  // namespace iris
