#include "cli/model_options.h"

#include <CLI/CLI.hpp>

#include "cli/enum_option.h"
#include "cli/name_list.h"
#include "cli/number_option.h"
#include "error.h"

namespace iris {

void add_model_options(CLI::App& command, TypedNames& names, ClassifierOptions& options, bool& allows_tf32) {
  command.add_option("--features", names.features, "Names of the features, in order: a,b,c or, as in CSV, a,\"b,c\"");
  command.add_option("--labels", names.labels, "Names of the classes, in order: a,b,c or, as in CSV, a,\"b,c\"");
  command.add_option("--key", options.key, "Which dictionary of a checkpoint is the state_dict");
  command.add_option("--hidden", options.hidden, "IrisNet's hidden units (16)")->transform(whole_number(1, 1 << 20));
  add_device_options(command, options.device, allows_tf32);
  add_enum<WeightDtype>(
      command, "--dtype", options.dtype,
      {{"float32", WeightDtype::kFloat32}, {"bfloat16", WeightDtype::kBFloat16}, {"float16", WeightDtype::kFloat16}},
      "Convert the model to float32, bfloat16 (logits within 3% of float32's) or float16 (0.3%)");
}

void add_device_options(CLI::App& command, std::string& device, bool& allows_tf32) {
  command.add_option("--device", device, "auto (CUDA when there is one), cpu, cuda or cuda:N");
  command.add_flag("--allow-tf32", allows_tf32, "On CUDA: quicker float32 products, of 10 bits instead of 23");
}

void check_standard_input(const std::string& model, const std::string& rows) {
  if (model == "-" && rows == "-") {
    throw UsageError("the model and the rows cannot both come from standard input");
  }
}

void set_names(const TypedNames& names, ClassifierOptions& options) {
  options.features = split_names("--features", names.features);
  options.labels = split_names("--labels", names.labels);
}

}  // namespace iris
