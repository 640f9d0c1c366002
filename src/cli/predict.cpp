#include "cli/predict.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <system_error>

#include "cli/option_types.h"
#include "cli/start/plugin.h"
#include "error.h"
#include "io/output_file.h"
#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

// In any case: .NDJSON too. What is not one row on a line in a .json file, the reader tells.
bool is_csv_name(const std::string& path) { return std::filesystem::path(path).extension() == ".csv"; }

bool is_ndjson_name(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
  return extension == ".ndjson" || extension == ".jsonl" || extension == ".json";
}

// A word among a sample's features that names a file of rows, there or not.
bool is_rows_file(const std::string& word) {
  if (parse_float(word)) {
    return false;
  }
  std::error_code error;
  return word == "-" || std::filesystem::is_regular_file(word, error) || std::filesystem::is_fifo(word, error) ||
         is_ndjson_name(word) || is_csv_name(word);
}

int run_predict(const PredictOptions& typed) {
  const PredictOptions options = settled(typed);
  if (options.input.empty()) {
    return plugin_function<decltype(predict_sample)>(Plugin::kTorchVerbs, "iris_predict_sample")(options);
  }
  return plugin_function<decltype(predict_rows)>(Plugin::kTorchVerbs, "iris_predict_rows")(options);
}

// Throws UsageError for what people type in a feature's place.
void check_is_feature(const std::string& word, const std::string& model) {
  std::error_code error;
  if ((is_csv_name(model) || is_ndjson_name(model)) && std::filesystem::is_regular_file(word, error)) {
    throw UsageError("the model comes first, then the rows: iris predict " + text::path_name(word) + " -i " +
                     text::path_name(model));
  }
  if (is_rows_file(word)) {
    throw UsageError(text::quoted(word) + " is a file, not a feature; for the rows in it: -i " + text::path_name(word));
  }
  if (word.find(',') != std::string::npos && word.find_first_not_of("0123456789.,-+eE ") == std::string::npos) {
    throw UsageError(text::quoted(word) +
                     " is not one number; features are separated by blanks, and decimals by a point: 5.1 3.5");
  }
}

}  // namespace

PredictOptions settled(PredictOptions options) {
  if (options.input.empty() == options.sample.empty()) {
    throw UsageError(options.input.empty() ? "nothing to predict: give one sample's features, or many with -i FILE"
                                           : "give one sample's features or -i FILE, not both");
  }
  check_standard_input(options.model.path, options.input);
  if (is_same_file(options.output, options.model.path)) {
    throw UsageError("-o " + text::path_name(options.output) + " would replace the model; write to another file");
  }
  if (is_same_file(options.output, options.input)) {
    throw UsageError("-o " + text::path_name(options.output) + " would replace the rows; write to another file");
  }
  if (options.json && options.output_format == RowFormat::kCsv) {
    throw UsageError("--json and --output-format csv contradict each other");
  }
  if (!options.input_format) {
    options.input_format = is_ndjson_name(options.input) ? RowFormat::kNdjson : RowFormat::kCsv;
  }
  if (!options.output_format) {
    options.output_format = options.json || is_ndjson_name(options.output) ? RowFormat::kNdjson
                            : options.output.ends_with(".csv")             ? RowFormat::kCsv
                                                                           : options.input_format;
  }
  return options;
}

void add_predict(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("predict", "The class of one sample, or of every row of a CSV file");
  auto options = std::make_shared<PredictOptions>();
  add_file(*command, "MODEL", options->model.path, "A file that holds a model, whatever its name; - is stdin")
      ->required();
  command
      ->add_option("FEATURE", options->sample,
                   "One sample, in the model's order (Iris: sepal length, sepal width, "
                   "petal length, petal width, in cm)")
      ->each([options](const std::string& word) { check_is_feature(word, options->model.path); });
  command->add_flag("--logits", options->logits, "Also the model's raw scores");
  command->add_flag("--probabilities", options->probabilities, "Also the probability of every class");
  command->add_flag("--json", options->json, "One JSON object, or one a line for many rows");

  CLI::Option* input = add_file(*command, "-i,--input", options->input, "A file of samples, CSV or NDJSON; - is stdin");
  const std::vector<std::pair<std::string, RowFormat>> formats = {{"csv", RowFormat::kCsv},
                                                                  {"ndjson", RowFormat::kNdjson}};
  add_enum(*command, "--input-format", options->input_format, formats,
           "csv or ndjson (by default as the name of -i says, else csv)")
      ->needs(input);
  add_file(*command, "-o,--output", options->output, "Where the answers to -i go; - is stdout (default)")->needs(input);
  add_enum(*command, "--output-format", options->output_format, formats,
           "csv or ndjson (by default as the name of -o says, else as the input)")
      ->needs(input);
  add_names(*command, "--copy", options->copy,
            "Columns of the input to copy in front of the answers: a,b,c; by number where there is no header; . is all")
      ->needs(input);
  add_enum<OnError>(*command, "--on-error", options->on_error, {{"stop", OnError::kStop}, {"skip", OnError::kSkip}},
                    "What a bad row does: stop (default) or skip")
      ->needs(input);
  add_whole(*command, "--batch-size", options->batch_size, 1, 1 << 24,
            "Rows per pass through the model, at most (4096; CUDA: 65536)")
      ->needs(input);
  add_whole(*command, "--workers", options->workers, 1, 1024,
            "Threads that read, score and write (as many as there are cores)")
      ->needs(input);
  command->add_flag("-q,--quiet", options->quiet, "No progress bar");
  add_model_options(*command, options->model, "with -i: 1; ");
  command->footer(
      "Examples:\n"
      "  iris predict model.pt 5.1 3.5 1.4 0.2\n"
      "  iris predict model.ts.pt 5.1 3.5 1.4 0.2 --json\n"
      "  iris predict model.pt -i flowers.csv -o answers.csv --probabilities\n"
      "  iris predict model.pt -i flowers.ndjson --logits | head\n"
      "  cat flowers.csv | iris predict model.pt -i - --on-error skip");
  command->callback([options, &run] { run = [options] { return run_predict(*options); }; });
}

}  // namespace iris
