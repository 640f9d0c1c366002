#include <algorithm>
#include <atomic>
#include <cstdio>
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
    std::fprintf(stderr, "iris: %zu of %zu rows were skipped\n", skip_count_, row_count_.load());
    return 3;
  }

 private:
  // The first chunk that has a row in it tells how the input is laid out.
  std::unique_ptr<RowParser> make_parser() {
    do {
      has_first_ = reader_.next(first_);
    } while (has_first_ && first_.fault.empty() && first_.text.find_first_not_of("\r\n") == std::string_view::npos);
    return reads_ndjson(options_) ? make_ndjson_parser(reader_.name(), classifier_.features(), first_)
                                  : make_csv_parser(reader_.name(), classifier_.features(), first_);
  }

  // A model that names no classes tells their count by an answer: to the first good row or, without one, to zeros.
  std::vector<std::string> labels() const {
    const std::size_t features = parser_->feature_count();
    if (!classifier_.known_labels().empty() || features == 0) {
      return classifier_.known_labels();
    }
    Rows rows;
    if (has_first_) {
      parser_->parse(first_, rows);
    }
    rows.features.resize(features);
    return classifier_.labels(classifier_.predict(rows.features, 1).class_count);
  }

  bool take(Part& part, const std::stop_token& stop) {
    if (std::exchange(has_first_, false)) {
      std::swap(part.chunk, first_);
      return true;
    }
    return reader_.next(part.chunk, stop);
  }

  // The answers as text: of all rows or, if a bad one stops the run, of those before it.
  void score(Part& part) const {
    parser_->parse(part.chunk, part.rows);
    part.text.clear();
    const Rows& rows = part.rows;
    const bool stops = options_.on_error == "stop" && !rows.bad.empty();
    const std::size_t feature_count = parser_->feature_count();
    const std::size_t good_count = stops ? rows.bad[0].number : rows.count - rows.bad.size();
    auto bad = rows.bad.begin();
    std::size_t row = 0;  // good and bad
    for (std::size_t start = 0; start < good_count;) {
      const std::size_t count = std::min(options_.batch_size, good_count - start);
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
    for (; !stops && bad != rows.bad.end(); ++bad) {
      writer_.append_skipped(bad->error, part.text);
    }
  }

  void predict(Part& part, std::span<const float> rows, std::size_t count) const {
    const std::size_t least = std::min(kMinBatch, options_.batch_size);
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
        std::fprintf(stderr, "iris: skipped %s\n", bad.error.c_str());
      }
    }
  }

  const PredictOptions& options_;
  const Classifier& classifier_;
  ChunkReader reader_;
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
