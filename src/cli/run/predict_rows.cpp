#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <stop_token>
#include <utility>

#include "cli/in_order.h"
#include "cli/predict.h"
#include "cli/progress.h"
#include "cli/run/start_device.h"
#include "error.h"
#include "io/output_file.h"
#include "rows/answer_writer.h"
#include "rows/row_source.h"

namespace iris {
namespace {

constexpr std::size_t kMaxSkipsTold = 10;

class RowScorer {
 public:
  RowScorer(const PredictOptions& options, const Classifier& classifier, RowSource& source)
      : options_(options),
        classifier_(classifier),
        batch_size_(options.batch_size.value_or(classifier.usual_batch_size())),
        source_(source),
        feature_count_(source.features().size()),
        writer_(*options.output_format, labels(), {.probabilities = options.probabilities, .logits = options.logits}),
        output_(options.output, OutputFile::Durability::kOfProcess),
        progress_(options.quiet, "rows", 1) {}

  int run() {
    output_.write(writer_.header());
    source_.end_ahead();
    InOrder in_order(options_.workers, [this] { return std::make_unique<Part>(*this); });
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

  bool stops() const { return options_.on_error == OnError::kStop; }

  // Where the model names no classes, an answer shows how many there are: to the first row that it can answer, else to
  // zeros.
  std::vector<std::string> labels() const {
    if (!classifier_.known_labels().empty() || feature_count_ == 0) {
      return classifier_.known_labels();
    }
    const Rows rows = source_.first_rows();
    for (std::span<const float> rest = rows.features; !rest.empty(); rest = rest.subspan(feature_count_)) {
      try {
        return classifier_.labels(classifier_.predict(rest.first(feature_count_), 1).class_count);
      } catch (const RowsError&) {
      }
    }
    return classifier_.labels(classifier_.predict(std::vector<float>(feature_count_), 1).class_count);
  }

  void score(Part& part) const {
    source_.parse(part);
    try {
      answer(part);
    } catch (const RowsError&) {
      set_failing_aside(part);
      answer(part);
    }
  }

  // How many good rows there are; if a bad row stops the run, before the first bad one.
  std::size_t good_count(const Rows& rows) const {
    return stops() && !rows.bad.empty() ? rows.bad[0].number : rows.count - rows.bad.size();
  }

  // The answers as text.
  void answer(Part& part) const {
    part.text.clear();
    const Rows& rows = part.rows;
    const std::size_t good_count = this->good_count(rows);
    auto bad = rows.bad.begin();
    std::size_t row = 0;  // good and bad
    for (std::size_t start = 0; start < good_count; start += batch_size_) {
      const std::size_t count = std::min(batch_size_, good_count - start);
      predict(part, std::span(rows.features).subspan(start * feature_count_, count * feature_count_), count);
      for (std::size_t done = 0; done < count;) {
        for (; bad != rows.bad.end() && bad->number == row; ++bad, ++row) {
          writer_.append_skipped(bad->error, part.text);
        }
        const std::size_t together = bad == rows.bad.end() ? count - done : std::min(count - done, bad->number - row);
        writer_.append(part.predictions, done, done + together, part.text);
        done += together;
        row += together;
      }
    }
    for (; !stops() && bad != rows.bad.end(); ++bad) {
      writer_.append_skipped(bad->error, part.text);
    }
  }

  // Makes the rows on which the model fails bad rows; if a bad row stops the run, only the first of them.
  void set_failing_aside(Part& part) const {
    Rows& rows = part.rows;
    std::vector<std::size_t> numbers;  // of the good rows, among all
    for (std::size_t number = 0, bad = 0; number < rows.count; ++number) {
      if (bad < rows.bad.size() && rows.bad[bad].number == number) {
        ++bad;
      } else {
        numbers.push_back(number);
      }
    }
    std::vector<float> good;
    std::vector<BadRow> failing;
    const std::function<void(std::size_t, std::size_t)> sift = [&](std::size_t first, std::size_t last) {
      if (stops() && !failing.empty()) {
        return;
      }
      const auto features = std::span(rows.features).subspan(first * feature_count_, (last - first) * feature_count_);
      try {
        predict(part, features, last - first);
        good.insert(good.end(), features.begin(), features.end());
      } catch (const RowsError& error) {
        if (last - first == 1) {
          failing.push_back({numbers[first], source_.place_of(part, numbers[first]) + error.what()});
        } else {
          sift(first, first + (last - first) / 2);
          sift(first + (last - first) / 2, last);
        }
      }
    };
    const std::size_t count = good_count(rows);
    for (std::size_t first = 0; first < count; first += batch_size_) {
      sift(first, std::min(first + batch_size_, count));
    }
    rows.features = std::move(good);
    rows.bad.insert(rows.bad.end(), std::make_move_iterator(failing.begin()), std::make_move_iterator(failing.end()));
    std::sort(rows.bad.begin(), rows.bad.end(), [](const BadRow& a, const BadRow& b) { return a.number < b.number; });
  }

  void predict(Part& part, std::span<const float> rows, std::size_t count) const {
    classifier_.predict(rows, count, part.predictions);
    if (part.predictions.class_count != writer_.class_count()) {
      throw InputError(options_.model.path + ": the model gives " + std::to_string(part.predictions.class_count) +
                       " classes, and gave " + std::to_string(writer_.class_count()) + " before");
    }
  }

  void give(Part& part) {
    if (!part.text.empty()) {
      output_.write(part.text);
    }
    row_count_ += part.rows.count;
    for (const BadRow& bad : part.rows.bad) {
      if (stops()) {
        throw InputError(bad.error);
      }
      if (++skip_count_ <= kMaxSkipsTold) {
        progress_.say("iris: skipped " + bad.error);
      }
    }
  }

  const PredictOptions& options_;
  const Classifier& classifier_;
  const std::size_t batch_size_;
  RowSource& source_;
  const std::size_t feature_count_;
  AnswerWriter writer_;
  OutputFile output_;
  Progress progress_;
  std::atomic<std::size_t> row_count_ = 0;
  std::size_t skip_count_ = 0;
};

}  // namespace

int predict_rows(const PredictOptions& options, ReadAhead* ahead) {
  const auto& [path, its_options, allows_tf32, threads] = options.model;
  start_device(its_options.device, allows_tf32, threads.value_or(1));  // the workers use the cores already
  const Classifier classifier =
      ahead != nullptr ? Classifier::of(ahead->model, path, its_options) : Classifier::open(path, its_options);
  if (ahead != nullptr && ahead->rows->features() == classifier.features()) {
    return RowScorer(options, classifier, *ahead->rows).run();
  }
  return RowScorer(options, classifier, *open_rows(options, classifier.features())).run();
}

}  // namespace iris
