#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/answer_text.h"
#include "cli/predict.h"
#include "data/row_reader.h"
#include "error.h"
#include "io/output_file.h"

namespace iris {
namespace {

constexpr std::size_t kMaxSkipsTold = 10;

bool wants_ndjson(const PredictOptions& options) {
  if (!options.output_format.empty()) {
    return options.output_format == "ndjson";
  }
  return options.json || options.output.ends_with(".ndjson") || options.output.ends_with(".jsonl");
}

// Collects rows, scores them together and writes their answers in order.
class RowScorer {
 public:
  RowScorer(const PredictOptions& options, const Classifier& classifier, std::size_t feature_count)
      : options_(options),
        classifier_(classifier),
        feature_count_(feature_count),
        parts_{.probabilities = options.probabilities, .logits = options.logits},
        is_ndjson_(wants_ndjson(options)),
        output_(options.output) {}

  bool is_full() const { return errors_.size() >= options_.batch_size; }

  void add(Row& row) {
    ++row_count_;
    if (row.error.empty()) {
      features_.insert(features_.end(), row.features.begin(), row.features.end());
    } else {
      if (options_.on_error == "stop") {
        flush();
        throw InputError(row.error);
      }
      ++skip_count_;
      if (skip_count_ <= kMaxSkipsTold) {
        std::fprintf(stderr, "iris: skipped %s\n", row.error.c_str());
      }
    }
    errors_.push_back(std::move(row.error));
  }

  void flush() {
    const auto good = static_cast<std::size_t>(std::count(errors_.begin(), errors_.end(), ""));
    Predictions predictions;
    if (good > 0) {
      predictions = classifier_.predict(features_, good);
      labels_ = classifier_.labels(predictions.class_count);
    } else if (labels_.empty()) {
      labels_ = labels_without_rows();
    }
    std::string text = std::exchange(header_due_, false) && !is_ndjson_ ? csv_header(labels_, parts_) + "\n" : "";
    std::size_t row = 0;
    for (const std::string& error : errors_) {
      if (error.empty()) {
        text +=
            is_ndjson_ ? answer_json(predictions, row, labels_, parts_) : answer_csv(predictions, row, labels_, parts_);
        ++row;
      } else {
        text += is_ndjson_ ? "{\"error\":" + json_string(error) + "}" : empty_csv(labels_.size(), parts_);
      }
      text += "\n";
    }
    output_.write(text);
    errors_.clear();
    features_.clear();
  }

  int finish() {
    flush();
    output_.commit();
    if (skip_count_ == 0) {
      return 0;
    }
    std::fprintf(stderr, "iris: %zu of %zu rows were skipped\n", skip_count_, row_count_);
    return 3;
  }

 private:
  // For a header before the first good row. A model that names no classes tells their count by an answer to zeros.
  std::vector<std::string> labels_without_rows() const {
    if (!classifier_.known_labels().empty() || feature_count_ == 0) {
      return classifier_.known_labels();
    }
    return classifier_.labels(classifier_.predict(std::vector<float>(feature_count_), 1).class_count);
  }

  const PredictOptions& options_;
  const Classifier& classifier_;
  std::size_t feature_count_;
  AnswerParts parts_;
  bool is_ndjson_;
  OutputFile output_;
  bool header_due_ = true;
  std::vector<std::string> labels_;
  std::vector<float> features_;      // of the batch's good rows
  std::vector<std::string> errors_;  // one for each row of the batch; empty: the row is good
  std::size_t row_count_ = 0;
  std::size_t skip_count_ = 0;
};

}  // namespace

int predict_rows(const PredictOptions& options, const Classifier& classifier) {
  RowReader reader(options.input, classifier.features());
  RowScorer scorer(options, classifier, reader.feature_count());
  Row row;
  while (true) {
    if (scorer.is_full() || !reader.is_ready()) {
      scorer.flush();
    }
    if (!reader.next(row)) {
      return scorer.finish();
    }
    scorer.add(row);
  }
}

}  // namespace iris
