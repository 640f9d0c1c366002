#include <cmath>
#include <cstdio>

#include "cli/choice_words.h"
#include "cli/predict.h"
#include "cli/run/start_device.h"
#include "error.h"
#include "io/output_file.h"
#include "rows/answer_writer.h"
#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

std::vector<float> parse_sample(const PredictOptions& options, const Classifier& classifier) {
  const auto& names = classifier.features();
  if (!names.empty() && options.sample.size() != names.size()) {
    throw UsageError(options.model.path + " takes " + std::to_string(names.size()) + " features, not " +
                     std::to_string(options.sample.size()) + ": " + text::printable(text::joined(names)));
  }
  std::vector<float> values;
  for (std::size_t i = 0; i < options.sample.size(); ++i) {
    const std::string typed =
        options.sample[i].substr(options.sample[i].starts_with(' ') ? 1 : 0);  // a blank that main put before "-"
    const std::optional<float> value = parse_float(typed);
    if (!value || !std::isfinite(*value)) {
      throw UsageError((names.empty() ? "x" + std::to_string(i) : names[i]) + ": " +
                       (value ? "not finite as float32: " : "not a number: ") + text::quoted(typed));
    }
    values.push_back(*value);
  }
  return values;
}

std::string values_text(const Predictions& predictions, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    char digits[16];
    text +=
        text::printable(names[i]) + ": " + std::string(digits, write_shortest(predictions.outputs[i], digits)) + "\n";
  }
  return text;
}

std::string classes_text(const Predictions& predictions, const std::vector<std::string>& labels,
                         const PredictOptions& options) {
  const std::size_t best = predictions.best[0];
  const auto probabilities = predictions.probabilities_of(0);
  std::string text;
  if (options.logits) {
    text += "Logits:";
    for (const float logit : predictions.outputs_of(0)) {
      text += " " + fixed_text(logit, 2);
    }
    text += "\nPredicted class index: " + std::to_string(best) + "\n";
  }
  const auto percent = [](float probability) { return fixed_text(100.0 * probability, 1) + "%"; };
  text += "Prediction: " + text::printable(labels[best]) + "\nConfidence: " + percent(probabilities[best]) + "\n";
  for (std::size_t i = 0; options.probabilities && i < labels.size(); ++i) {
    text += "  " + text::printable(labels[i]) + ": " + percent(probabilities[i]) + "\n";
  }
  return text;
}

}  // namespace

int predict_sample(const PredictOptions& options) {
  start_device(options.model.classifier.device, options.model.allows_tf32, options.model.threads);
  ClassifierOptions model = options.model.classifier;
  model.tell = [](const std::string& note, const Choice& choice) {
    std::fprintf(stderr, "iris: %s\n", text::printable(note + choice_words(choice), std::string::npos).c_str());
  };
  const Classifier classifier = Classifier::open(options.model.path, model);
  const Predictions predictions = classifier.predict(parse_sample(options, classifier), 1);
  const auto labels = classifier.labels(predictions);
  const bool has_classes = predictions.meaning != Outputs::kValues;
  AnswerParts parts = {.probabilities = options.probabilities,
                       .logits = options.logits,
                       .meaning = predictions.meaning,
                       .has_single_output = predictions.output_count == 1};
  parts.check();
  std::string text;
  if (options.json) {
    parts.probabilities = has_classes;
    parts.logits = predictions.meaning == Outputs::kLogits;
    AnswerWriter(RowFormat::kNdjson, labels, parts).append(predictions, 0, 1, text);
  } else {
    text = has_classes ? classes_text(predictions, labels, options) : values_text(predictions, labels);
  }
  OutputFile("-").write(text);
  return kDone;
}

}  // namespace iris
