#include <algorithm>
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

#include "cli/choice_words.h"
#include "cli/in_order.h"
#include "cli/predict.h"
#include "cli/progress.h"
#include "cli/run/batch_scorer.h"
#include "cli/run/start_device.h"
#include "error.h"
#include "io/output_file.h"
#include "model/file/model_names.h"
#include "rows/answer_writer.h"
#include "rows/row_source.h"

namespace iris {
namespace {

constexpr std::size_t kMaxSkipsTold = 10;

RowRequest request_of(const PredictOptions& options, const Classifier& classifier, Progress& progress) {
  RowRequest request;
  request.features = classifier.features();
  request.unit = unit_of(classifier.features());
  if (!options.copy.empty()) {
    request.copy = {options.copy, *options.output_format};
  }
  request.tell = [&progress](const std::string& note) { progress.say("iris: " + note); };
  return request;
}

class RowScorer {
 public:
  RowScorer(const PredictOptions& options, const Classifier& classifier, Progress& progress)
      : options_(options),
        progress_(progress),
        // The order of the rows matters to a model that changes itself.
        workers_(classifier.changes_itself() ? 1 : options.workers),
        source_(options.input, *options.input_format, request_of(options, classifier, progress_)),
        writer_(writer_of(shape_of_answers(classifier, source_, options.batch_size))),
        scorer_(classifier, options.model.path, writer_.label_count(),
                options.batch_size.value_or(classifier.usual_batch_size())),
        output_(options.output, OutputFile::Durability::kOfProcess) {}

  int run() {
    output_.write(writer_.header());
    InOrder in_order(workers_, [this] { return std::make_unique<Part>(*this); });
    in_order.run([this] { progress_.show(row_count_, source_.position(), source_.size()); });
    output_.commit();
    if (skip_count_ == 0) {
      return kDone;
    }
    progress_.say("iris: " + std::to_string(skip_count_) + " of " + std::to_string(row_count_) + " rows were skipped");
    return kRowsSkipped;
  }

 private:
  struct Part : InOrder::Part, RowSource::Part {
    explicit Part(RowScorer& its_scorer) : scorer(its_scorer) {}

    bool take(const std::stop_token& stop) override { return scorer.source_.take(*this, stop); }
    void work() override { scorer.score(*this); }
    void give() override { scorer.give(*this); }

    RowScorer& scorer;
    Predictions predictions;
    std::string text;
  };

  AnswerWriter writer_of(const AnswerShape& shape) const {
    return {*options_.output_format,
            shape.labels,
            {.probabilities = options_.probabilities,
             .logits = options_.logits,
             .meaning = shape.meaning,
             .has_single_output = shape.has_single_output},
            options_.copy.empty() ? std::nullopt : std::optional(source_.copied_names())};
  }

  bool stops() const { return options_.on_error == OnError::kStop; }

  // The answers as text.
  void score(Part& part) const {
    source_.parse(part);
    std::size_t row = 0;  // good and bad
    std::size_t bad = 0;
    const auto begin = [&] {
      part.text.clear();
      row = bad = 0;
    };
    const auto skip_bad = [&] {
      for (; bad < part.rows.bad.size() && part.rows.bad[bad].number == row; ++bad, ++row) {
        writer_.append_skipped(part.rows.bad[bad].error, copied_of(part, row), part.text);
      }
    };
    scorer_.score(source_, part, stops(), part.predictions, begin,
                  [&](std::size_t, std::size_t count, const Predictions& predictions) {
                    for (std::size_t done = 0; done < count;) {
                      skip_bad();
                      const std::size_t next_bad =
                          bad < part.rows.bad.size() ? part.rows.bad[bad].number : part.rows.count;
                      const std::size_t together = std::min(count - done, next_bad - row);
                      append(part, predictions, done, together, row);
                      done += together;
                      row += together;
                    }
                  });
    if (!stops()) {
      skip_bad();
    }
  }

  std::string_view copied_of(const Part& part, std::size_t row) const {
    return options_.copy.empty() ? std::string_view() : part.rows.copied_of(row);
  }

  // The answers from the one of number `first` on, which is to the part's row of number `row`.
  void append(Part& part, const Predictions& predictions, std::size_t first, std::size_t count, std::size_t row) const {
    if (options_.copy.empty()) {
      writer_.append(predictions, first, first + count, part.text);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      writer_.append_with(part.rows.copied_of(row + i), predictions, first + i, part.text);
    }
  }

  void give(Part& part) {
    if (!part.text.empty()) {
      output_.write(part.text);
    }
    row_count_ += part.rows.count;
    for (const BadRow& bad : part.rows.bad) {
      if (stops()) {
        throw InputError(bad.error, bad.choice);
      }
      if (++skip_count_ <= kMaxSkipsTold) {
        progress_.say("iris: skipped " + bad.error);
      }
    }
  }

  const PredictOptions& options_;
  Progress& progress_;
  std::size_t workers_;
  RowSource source_;
  AnswerWriter writer_;
  BatchScorer scorer_;
  OutputFile output_;
  std::atomic<std::size_t> row_count_ = 0;
  std::size_t skip_count_ = 0;
};

}  // namespace

int predict_rows(const PredictOptions& options) {
  const auto& [path, its_options, allows_tf32, threads] = options.model;
  start_device(its_options.device, allows_tf32, threads.value_or(1));  // the workers use the cores already
  Progress progress(options.quiet, "rows", 1);
  ClassifierOptions model = its_options;
  model.compares_rows = !options.batch_size;
  model.tell = [&progress](const std::string& note, const Choice& choice) {
    progress.say("iris: " + note + choice_words(choice));
  };
  const Classifier classifier = Classifier::open(path, model);
  return RowScorer(options, classifier, progress).run();
}

}  // namespace iris
