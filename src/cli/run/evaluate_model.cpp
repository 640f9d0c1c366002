#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "cli/choice_words.h"
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

class Evaluation {
 public:
  explicit Evaluation(const EvaluateOptions& options)
      : options_(options),
        progress_(options.quiet, "rows", 1),
        classifier_(Classifier::open(options.model.path, model_options())),
        batch_size_(options.batch_size.value_or(classifier_.usual_batch_size())),
        are_values_(classifier_.known_outputs() == Outputs::kValues),
        source_(
            options.data, classifier_.features(), unit_of(classifier_.features()), options.label_column,
            [this](const std::string& note) { progress_.say("iris: " + note); }, are_values_),
        labels_(shape_of_answers(classifier_, source_.rows(), options.batch_size).labels) {}

  bool are_values() const { return are_values_; }
  const std::vector<std::string>& labels() const { return labels_; }

  Metrics measure() {
    source_.rows().set_labels(labels_);
    Metrics metrics(labels_.size());
    run(metrics, [](Metrics& all, std::size_t first, std::size_t count, const Predictions& its, const Rows& rows) {
      all.add(its, std::span(rows.labels).subspan(first, count));
    });
    return metrics;
  }

  ValueMetrics measure_values() {
    if (labels_.size() > 1) {
      throw InputError(options_.model.path + ": gives " + std::to_string(labels_.size()) +
                       " values for each row, and the data has one target");
    }
    ValueMetrics metrics;
    run(metrics, [](ValueMetrics& all, std::size_t first, std::size_t count, const Predictions& its, const Rows& rows) {
      all.add(its.outputs, std::span(rows.targets).subspan(first, count));
    });
    return metrics;
  }

 private:
  ClassifierOptions model_options() {
    ClassifierOptions model = options_.model.classifier;
    model.compares_rows = !options_.batch_size;
    model.tell = [this](const std::string& note, const Choice& choice) {
      progress_.say("iris: " + note + choice_words(choice));
    };
    return model;
  }

  // All rows through the model, in order. add(metrics, first, count, predictions, rows): for each batch of good rows.
  template <typename Figures, typename Add>
  void run(Figures& metrics, const Add& add) {
    const BatchScorer scorer(classifier_, options_.model.path, labels_.size(), batch_size_);
    Predictions predictions;
    for (RowSource::Part part; source_.take(part);) {
      const Figures before = metrics;
      scorer.score(
          source_.rows(), part, /*before_bad=*/true, predictions, [&] { metrics = before; },
          [&](std::size_t first, std::size_t count, const Predictions& its) {
            add(metrics, first, count, its, part.rows);
          });
      if (!part.rows.bad.empty()) {
        throw InputError(part.rows.bad[0].error, part.rows.bad[0].choice);
      }
      progress_.show(metrics.rows(), source_.rows().position(), source_.rows().size());
    }
  }

  const EvaluateOptions& options_;
  Progress progress_;
  Classifier classifier_;
  std::size_t batch_size_;
  bool are_values_;
  LabelledSource source_;
  std::vector<std::string> labels_;
};

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

std::string json_text(const ValueMetrics& metrics) {
  return text::json(ordered_json{
             {"rows", metrics.rows()}, {"mse", metrics.mse()}, {"mae", metrics.mae()}, {"r2", metrics.r2()}}) +
         "\n";
}

std::string report_text(const ValueMetrics& metrics) {
  return "Rows: " + std::to_string(metrics.rows()) + "\nMean squared error: " + fixed_text(metrics.mse(), 4) +
         "\nMean absolute error: " + fixed_text(metrics.mae(), 4) + "\nR2: " + fixed_text(metrics.r2(), 4) + "\n";
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
  constexpr std::size_t kMostClasses = 20;  // of a table that fits on a screen
  constexpr std::size_t kWorst = 10;
  std::vector<std::vector<std::string>> scores = {{"", "precision", "recall", "f1", "support"}};
  std::vector<std::vector<std::string>> matrix = {{""}};
  std::vector<std::size_t> shown(labels.size());
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  const bool are_many = labels.size() > kMostClasses;
  if (are_many) {  // those with rows, by F1
    std::erase_if(shown, [&](std::size_t label) { return metrics.support(label) == 0; });
    std::stable_sort(shown.begin(), shown.end(),
                     [&](std::size_t a, std::size_t b) { return metrics.f1(a) < metrics.f1(b); });
    shown.resize(std::min(shown.size(), kWorst));
  }
  for (const std::size_t truth : shown) {
    const std::string label = text::printable(labels[truth]);
    scores.push_back({label, fixed_text(metrics.precision(truth), 4), fixed_text(metrics.recall(truth), 4),
                      fixed_text(metrics.f1(truth), 4), std::to_string(metrics.support(truth))});
    if (are_many) {
      continue;
    }
    matrix[0].push_back(label);
    auto& row = matrix.emplace_back(1, label);
    for (std::size_t prediction = 0; prediction < labels.size(); ++prediction) {
      row.push_back(std::to_string(metrics.count(truth, prediction)));
    }
  }
  const std::string totals = "Accuracy: " + fixed_text(100 * metrics.accuracy(), 1) + "% (" +
                             std::to_string(metrics.correct()) + " of " + std::to_string(metrics.rows()) +
                             " rows)\nLoss: " + fixed_text(metrics.loss(), 4) + "\n\n";
  if (are_many) {
    return totals + "The " + std::to_string(shown.size()) + " worst of " + std::to_string(labels.size()) +
           " classes by F1 (--json has all):\n" + table_text(scores);
  }
  return totals + table_text(scores) + "\nConfusion matrix (rows the truth, columns the prediction):\n" +
         table_text(matrix);
}

}  // namespace

int evaluate_model(const EvaluateOptions& options) {
  start_device(options.model.classifier.device, options.model.allows_tf32, options.model.threads);
  Evaluation evaluation(options);
  std::string report;
  if (evaluation.are_values()) {
    const ValueMetrics metrics = evaluation.measure_values();
    report = options.json ? json_text(metrics) : report_text(metrics);
  } else {
    const Metrics metrics = evaluation.measure();
    report = options.json ? json_text(metrics, evaluation.labels()) : report_text(metrics, evaluation.labels());
  }
  OutputFile("-").write(report);
  return kDone;
}

}  // namespace iris
