#include "cli/model_options.h"

#include <algorithm>

#include "cli/option_types.h"
#include "error.h"
#include "io/descriptor_path.h"
#include "rows/csv_record.h"
#include "text.h"

namespace iris {
namespace {

// Names with commas between them, quoted as in CSV: a,"b,c" are two.
std::vector<std::string> split_names(const std::string& option, const std::string& typed) {
  std::vector<std::string> names;
  const std::string record = typed + "\n";
  CsvRecords records(record);
  records.next_of_whole(&names);
  if (!records.fault().empty()) {
    throw UsageError(option + ": " + std::string(records.fault()) + "; write a,\"b,c\",\"a \"\"d\"\"\"");
  }
  if (records.position() < record.size()) {
    throw UsageError(option + ": there is a line break in it; put the name with it in double quotes");
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty()) {
      throw UsageError(option + ": a name is empty; write a,b,c");
    }
    if (std::find(names.begin(), name, *name) != name) {
      throw UsageError(option + ": " + text::quoted(*name) + " is there twice");
    }
  }
  return names;
}

}  // namespace

CLI::Option* add_names(CLI::App& command, const std::string& option, std::vector<std::string>& names,
                       const std::string& description) {
  return command.add_option_function<std::string>(
      option, [&names, option](const std::string& typed) { names = split_names(option, typed); }, description);
}

void add_model_options(CLI::App& command, ModelOptions& options, const std::string& threads_default) {
  ClassifierOptions& classifier = options.classifier;
  const std::string as_in_csv = ", in order: a,b,c or, as in CSV, a,\"b,c\"";
  add_names(command, "--features", classifier.features, "Names of the features" + as_in_csv);
  add_names(command, "--labels", classifier.labels, "Names of the classes, or of the values" + as_in_csv);
  command.add_option("--key", classifier.key, "Which dictionary of a checkpoint is the state_dict");
  add_whole(command, "--hidden", classifier.hidden, 1, 1 << 20, "IrisNet's hidden units (16)");
  add_device_options(command, classifier.device, options.allows_tf32);
  add_enum<WeightDtype>(
      command, "--dtype", classifier.dtype,
      {{"float32", WeightDtype::kFloat32}, {"bfloat16", WeightDtype::kBFloat16}, {"float16", WeightDtype::kFloat16}},
      "Convert the model to float32, bfloat16 (logits within 3% of float32's) or float16 (0.3%)");
  add_enum<Outputs>(
      command, "--outputs", classifier.outputs,
      {{"logits", Outputs::kLogits}, {"probabilities", Outputs::kProbabilities}, {"values", Outputs::kValues}},
      "What the model's numbers are: logits (default: of classes; a single one, of the second class of "
      "two), probabilities (taken as they are), or values (regression)");
  add_whole(command, "--threads", options.threads, 1, 1024,
            "LibTorch's threads within one pass (" + threads_default + "IrisNet: always 1)");
}

void add_device_options(CLI::App& command, DeviceName& device, bool& allows_tf32) {
  command
      .add_option_function<std::string>(
          "--device", [&device](const std::string& text) { device = text; },
          "auto (CUDA when there is one), cpu, cuda or cuda:N")
      ->type_name("DEVICE");
  command.add_flag("--allow-tf32", allows_tf32, "On CUDA: quicker float32 products, of 10 bits instead of 23");
}

void check_standard_input(const std::string& model, const std::string& rows) {
  if (is_standard_input(model) && is_standard_input(rows)) {
    throw UsageError("the model and the rows cannot both come from standard input");
  }
}

}  // namespace iris
