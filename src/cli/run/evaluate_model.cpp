#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "cli/evaluate.h"
#include "cli/progress.h"
#include "cli/run/batch_scorer.h"
#include "cli/run/start_device.h"
#include "error.h"
#include "io/output_file.h"
#include "model/file/model_names.h"
#include "model/metrics.h"
#include "rows/float_text.h"
#include "rows/labelled_source.h"
#include "text.h"

namespace iris {
namespace {

using nlohmann::ordered_json;

Metrics measure(const EvaluateOptions& options, const Classifier& classifier, std::vector<std::string>& labels) {
  Progress progress(options.quiet, "rows", 1);
  LabelledSource source(options.data, classifier.features(), unit_of(classifier.features()), options.label_column,
                        [&progress](const std::string& note) { progress.say("iris: " + note); });
  labels = labels_of(classifier, source.rows());
  source.rows().set_labels(labels);
  const BatchScorer scorer(classifier, options.model.path, labels.size(),
                           options.batch_size.value_or(classifier.usual_batch_size()));
  Metrics metrics(labels.size());
  Predictions predictions;
  for (RowSource::Part part; source.take(part);) {
    Metrics before = metrics;
    scorer.score(
        source.rows(), part, /*before_bad=*/true, predictions, [&] { metrics = before; },
        [&](std::size_t first, std::size_t count, const Predictions& its) {
          metrics.add(its.logits, std::span(part.rows.labels).subspan(first, count));
        });
    if (!part.rows.bad.empty()) {
      throw InputError(part.rows.bad[0].error, part.rows.bad[0].choice);
    }
    progress.show(metrics.rows(), source.rows().position(), source.rows().size());
  }
  return metrics;
}

std::string json_text(const Metrics& metrics, const std::vector<std::string>& labels) {
  auto classes = ordered_json::array();
  auto matrix = ordered_json::array();
  for (std::size_t truth = 0; truth < labels.size(); ++truth) {
    classes.push_back({{"label", labels[truth]},
                       {"precision", metrics.precision(truth)},
                       {"recall", metrics.recall(truth)},
                       {"f1", metrics.f1(truth)},
                       {"support", metrics.support(truth)}});
    auto& row = matrix.emplace_back(ordered_json::array());
    for (std::size_t prediction = 0; prediction < labels.size(); ++prediction) {
      row.push_back(metrics.count(truth, prediction));
    }
  }
  const ordered_json object = {{"rows", metrics.rows()},
                               {"accuracy", metrics.accuracy()},
                               {"loss", metrics.loss()},
                               {"classes", classes},
                               {"confusion_matrix", matrix}};
  return text::json(object) + "\n";
}

// Rows of cells: the first cell of each row to the left, the others to the right.
std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      text += i == 0 ? row[i] + blanks : "  " + blanks + row[i];
    }
    text += "\n";
  }
  return text;
}

std::string report_text(const Metrics& metrics, const std::vector<std::string>& labels) {
  std::vector<std::vector<std::string>> scores = {{"", "precision", "recall", "f1", "support"}};
  std::vector<std::vector<std::string>> matrix = {{""}};
  for (std::size_t truth = 0; truth < labels.size(); ++truth) {
    const std::string label = text::printable(labels[truth]);
    scores.push_back({label, fixed_text(metrics.precision(truth), 4), fixed_text(metrics.recall(truth), 4),
                      fixed_text(metrics.f1(truth), 4), std::to_string(metrics.support(truth))});
    matrix[0].push_back(label);
    auto& row = matrix.emplace_back(1, label);
    for (std::size_t prediction = 0; prediction < labels.size(); ++prediction) {
      row.push_back(std::to_string(metrics.count(truth, prediction)));
    }
  }
  return "Accuracy: " + fixed_text(100 * metrics.accuracy(), 1) + "% (" + std::to_string(metrics.correct()) + " of " +
         std::to_string(metrics.rows()) + " rows)\nLoss: " + fixed_text(metrics.loss(), 4) + "\n\n" +
         table_text(scores) + "\nConfusion matrix (rows the truth, columns the prediction):\n" + table_text(matrix);
}

}  // namespace

int evaluate_model(const EvaluateOptions& options) {
  start_device(options.model.classifier.device, options.model.allows_tf32, options.model.threads);
  const Classifier classifier = Classifier::open(options.model.path, options.model.classifier);
  std::vector<std::string> labels;
  const Metrics metrics = measure(options, classifier, labels);
  OutputFile("-").write(options.json ? json_text(metrics, labels) : report_text(metrics, labels));
  return kDone;
}

}  // namespace iris
