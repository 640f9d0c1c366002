#include <cmath>

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

}  // namespace

int predict_sample(const PredictOptions& options) {
  start_device(options.model.classifier.device, options.model.allows_tf32, options.model.threads);
  const Classifier classifier = Classifier::open(options.model.path, options.model.classifier);
  const Predictions predictions = classifier.predict(parse_sample(options, classifier), 1);
  const auto labels = classifier.labels(predictions.class_count);
  const std::size_t best = predictions.best[0];
  const auto probabilities = predictions.probabilities_of(0);
  std::string text;
  if (options.json) {
    AnswerWriter(RowFormat::kNdjson, labels, {.probabilities = true, .logits = true}).append(predictions, 0, 1, text);
  } else {
    if (options.logits) {
      text += "Logits:";
      for (const float logit : predictions.logits_of(0)) {
        text += " " + fixed_text(logit, 2);
      }
      text += "\nPredicted class index: " + std::to_string(best) + "\n";
    }
    const auto percent = [](float probability) { return fixed_text(100.0 * probability, 1) + "%"; };
    text += "Prediction: " + text::printable(labels[best]) + "\nConfidence: " + percent(probabilities[best]) + "\n";
    for (std::size_t i = 0; options.probabilities && i < labels.size(); ++i) {
      text += "  " + text::printable(labels[i]) + ": " + percent(probabilities[i]) + "\n";
    }
  }
  OutputFile("-").write(text);
  return kDone;
}

}  // namespace iris
