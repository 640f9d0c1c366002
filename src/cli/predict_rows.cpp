#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <iterator>
#include <thread>
#include <utility>

#include "cli/in_order.h"
#include "cli/predict.h"
#include "cli/progress.h"
#include "data/rows.h"
#include "error.h"
#include "inference/answer_writer.h"
#include "io/output_file.h"

namespace iris {
namespace {

constexpr std::size_t kMaxSkipsTold = 10;
// Matrix products of fewer rows go another way in LibTorch and differ in the last bit; which rows arrive together must
// not show.
constexpr std::size_t kMinBatch = 8;

bool is_ndjson_name(const std::string& path) { return path.ends_with(".ndjson") || path.ends_with(".jsonl"); }

bool reads_ndjson(const PredictOptions& options) {
  return options.input_format.empty() ? is_ndjson_name(options.input) : options.input_format == "ndjson";
}

bool writes_ndjson(const PredictOptions& options) {
  if (!options.output_format.empty()) {
    return options.output_format == "ndjson";
  }
  const bool has_extension = is_ndjson_name(options.output) || options.output.ends_with(".csv");
  return options.json || (has_extension ? is_ndjson_name(options.output) : reads_ndjson(options));
}

// What one worker has in hand.
struct Part {
  Chunk chunk;
  Rows rows;
  std::vector<float> padded;
  Predictions predictions;
  std::string text;
};

class RowScorer {
 public:
  RowScorer(const PredictOptions& options, const Classifier& classifier)
      : options_(options),
        classifier_(classifier),
        batch_size_(options.batch_size.value_or(classifier.usual_batch_size())),
        reader_(options.input, reads_ndjson(options) ? RecordEnd::kNewline : RecordEnd::kCsv),
        parser_(make_parser()),
        writer_(writes_ndjson(options) ? AnswerWriter::Format::kNdjson : AnswerWriter::Format::kCsv, labels(),
                {.probabilities = options.probabilities, .logits = options.logits}),
        output_(options.output, OutputFile::Durability::kOfProcess),
        progress_(options.quiet, "rows", 1) {}

  int run() {
    output_.write(writer_.header());
    run_in_order<Part>(options_.workers.value_or(std::max(1U, std::thread::hardware_concurrency())),
                       {
                           .take = [this](Part& part, const std::stop_token& stop) { return take(part, stop); },
                           .work = [this](Part& part) { score(part); },
                           .give = [this](Part& part) { give(part); },
                           .tick = [this] { progress_.show(row_count_, reader_.position(), reader_.size()); },
                       });
    output_.commit();
    if (skip_count_ == 0) {
      return 0;
    }
    progress_.say("iris: " + std::to_string(skip_count_) + " of " + std::to_string(row_count_) + " rows were skipped");
    return 3;
  }

 private:
  bool stops() const { return options_.on_error == "stop"; }

  // The first chunk that has a row in it tells how the input is laid out. Of the lines that cannot be read before it,
  // only the answers are asked for, should they be skipped.
  std::unique_ptr<RowParser> make_parser() {
    while ((has_first_ = reader_.next(first_))) {
      if (!stops() && !first_.fault.empty() && first_.line_count == 1) {
        Chunk& chunk = unreadable_.emplace_back();  // its text lies in no buffer
        chunk.text = first_.text;
        chunk.first_line = first_.first_line;
        chunk.line_count = 1;
        chunk.fault = first_.fault;
      } else if (!first_.fault.empty() || first_.text.find_first_not_of("\r\n") != std::string_view::npos) {
        break;
      }
    }
    if (!has_first_) {
      first_ = {};
    }
    return reads_ndjson(options_) ? make_ndjson_parser(reader_.name(), classifier_.features(), first_)
                                  : make_csv_parser(reader_.name(), classifier_.features(), first_);
  }

  // A model that names no classes tells their count by an answer: to the first row that it has one to or else to zeros.
  std::vector<std::string> labels() const {
    const std::size_t features = parser_->feature_count();
    if (!classifier_.known_labels().empty() || features == 0) {
      return classifier_.known_labels();
    }
    Rows rows;
    if (has_first_) {
      parser_->parse(first_, rows);
    }
    for (std::span<const float> rest = rows.features; !rest.empty(); rest = rest.subspan(features)) {
      try {
        return classifier_.labels(classifier_.predict(rest.first(features), 1).class_count);
      } catch (const RowsError&) {
      }
    }
    return classifier_.labels(classifier_.predict(std::vector<float>(features), 1).class_count);
  }

  bool take(Part& part, const std::stop_token& stop) {
    if (!unreadable_.empty()) {
      part.chunk = std::move(unreadable_.front());
      unreadable_.pop_front();
      return true;
    }
    if (std::exchange(has_first_, false)) {
      std::swap(part.chunk, first_);
      return true;
    }
    return reader_.next(part.chunk, stop);
  }

  void score(Part& part) const {
    parser_->parse(part.chunk, part.rows);
    try {
      answer(part);
    } catch (const RowsError&) {
      set_failing_aside(part);
      answer(part);
    }
  }

  // The good rows: those before the first bad one, if that stops the run.
  std::size_t good_count(const Rows& rows) const {
    return stops() && !rows.bad.empty() ? rows.bad[0].number : rows.count - rows.bad.size();
  }

  // The answers as text.
  void answer(Part& part) const {
    part.text.clear();
    const Rows& rows = part.rows;
    const std::size_t feature_count = parser_->feature_count();
    const std::size_t good_count = this->good_count(rows);
    auto bad = rows.bad.begin();
    std::size_t row = 0;  // good and bad
    for (std::size_t start = 0; start < good_count;) {
      const std::size_t count = std::min(batch_size_, good_count - start);
      predict(part, std::span(rows.features).subspan(start * feature_count, count * feature_count), count);
      for (std::size_t done = 0; done < count;) {
        for (; bad != rows.bad.end() && bad->number == row; ++bad, ++row) {
          writer_.append_skipped(bad->error, part.text);
        }
        const std::size_t together = bad == rows.bad.end() ? count - done : std::min(count - done, bad->number - row);
        writer_.append(part.predictions, done, done + together, part.text);
        done += together;
        row += together;
      }
      start += count;
    }
    for (; !stops() && bad != rows.bad.end(); ++bad) {
      writer_.append_skipped(bad->error, part.text);
    }
  }

  // The rows on which the model fails are bad rows too; if one stops the run, the first of them is.
  void set_failing_aside(Part& part) const {
    Rows& rows = part.rows;
    const std::size_t feature_count = parser_->feature_count();
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
      const auto features = std::span(rows.features).subspan(first * feature_count, (last - first) * feature_count);
      try {
        predict(part, features, last - first);
        good.insert(good.end(), features.begin(), features.end());
      } catch (const RowsError& error) {
        if (last - first == 1) {
          failing.push_back({numbers[first], parser_->place_of(part.chunk, numbers[first]) + error.what()});
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
    const std::size_t least = std::min(kMinBatch, batch_size_);
    if (count < least) {
      const auto last_row = rows.last(rows.size() / count);
      part.padded.assign(rows.begin(), rows.end());
      for (; count < least; ++count) {
        part.padded.insert(part.padded.end(), last_row.begin(), last_row.end());
      }
      rows = part.padded;
    }
    classifier_.predict(rows, count, part.predictions);
    if (part.predictions.class_count != writer_.class_count()) {
      throw InputError(options_.model + ": the model gives " + std::to_string(part.predictions.class_count) +
                       " classes, and gave " + std::to_string(writer_.class_count()) + " before");
    }
  }

  void give(Part& part) {
    if (!part.text.empty()) {
      output_.write(part.text);
    }
    row_count_ += part.rows.count;
    for (const BadRow& bad : part.rows.bad) {
      if (options_.on_error == "stop") {
        throw InputError(bad.error);
      }
      ++skip_count_;
      if (skip_count_ <= kMaxSkipsTold) {
        progress_.say("iris: skipped " + bad.error);
      }
    }
  }

  const PredictOptions& options_;
  const Classifier& classifier_;
  const std::size_t batch_size_;
  ChunkReader reader_;
  std::deque<Chunk> unreadable_;
  Chunk first_;
  bool has_first_ = false;
  std::unique_ptr<RowParser> parser_;
  AnswerWriter writer_;
  OutputFile output_;
  Progress progress_;
  std::atomic<std::size_t> row_count_ = 0;
  std::size_t skip_count_ = 0;
};

}  // namespace

int predict_rows(const PredictOptions& options, const Classifier& classifier) {
  return RowScorer(options, classifier).run();
}

}  // namespace iris
