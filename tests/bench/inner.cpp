// The time that the parts of batch prediction take for a row: parse, forward, format.
#include <benchmark/benchmark.h>
#include <torch/utils.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/classifier.h"
#include "rows/answer_writer.h"
#include "rows/rows.h"

namespace {

using namespace iris;

constexpr std::size_t kRows = 4096;

Chunk chunk_of(const std::string& text) {
  Chunk chunk;
  chunk.text = text;
  chunk.line_count = kRows;
  return chunk;
}

// The row over and over, with its last digit changing.
std::string repeated(const std::string& row) {
  std::string text;
  for (std::size_t i = 0; i < kRows; ++i) {
    text += row;
    text[text.rfind('#')] = static_cast<char>('0' + i % 10);
  }
  return text;
}

const Classifier& classifier() {
  static const Classifier iris_net = [] {
    torch::set_num_threads(1);
    return Classifier::open(IRIS_SOURCE_DIR "/models/iris_net.pt", {.device = "cpu"});
  }();
  return iris_net;
}

void parse(benchmark::State& state, bool is_csv, const std::string& row) {
  const std::string text = repeated(row);
  const Chunk chunk = chunk_of(text);
  RowRequest request;
  request.features = classifier().features();
  std::optional<Unreadable> unreadable;
  const auto parser =
      is_csv ? start_csv("rows", request, chunk, unreadable).parser : make_ndjson_parser("rows", request, chunk);
  Rows rows;
  for (auto _ : state) {
    parser->parse(chunk, rows);
    benchmark::DoNotOptimize(rows.features.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

Predictions predictions_of(const std::vector<float>& rows) {
  Predictions predictions;
  classifier().predict(rows, rows.size() / 4, predictions);
  return predictions;
}

std::vector<float> flowers(std::size_t count) {
  std::vector<float> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.insert(rows.end(),
                {5.1F, 3.5F, 1.4F + static_cast<float>(i % 40) / 10, 0.2F + static_cast<float>(i % 20) / 10});
  }
  return rows;
}

void forward(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<float> rows = flowers(count);
  Predictions predictions;
  for (auto _ : state) {
    classifier().predict(rows, count, predictions);
    benchmark::DoNotOptimize(predictions.best.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void format(benchmark::State& state, RowFormat format, AnswerParts parts) {
  const Predictions predictions = predictions_of(flowers(kRows));
  const AnswerWriter writer(format, classifier().known_labels(), parts);
  std::string text;
  for (auto _ : state) {
    text.clear();
    writer.append(predictions, 0, kRows, text);
    benchmark::DoNotOptimize(text.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

BENCHMARK_CAPTURE(parse, csv, true, "5.1,3.5,1.4,0.#\n");
BENCHMARK_CAPTURE(parse, csv_of_2_decimals, true, "5.12,3.51,1.41,0.2#\n");
BENCHMARK_CAPTURE(parse, csv_of_6_digits, true, "5.12345,3.51234,1.41234,0.2123#\n");
BENCHMARK_CAPTURE(parse, csv_of_9_digits, true, "5.12345678,3.51234567,1.41234567,0.2123456#\n");
BENCHMARK_CAPTURE(parse, csv_quoted, true, "\"5.1\",\"3.5\",\"1.4\",\"0.#\"\n");
BENCHMARK_CAPTURE(parse, ndjson, false,
                  R"({"sepal_length":5.1,"sepal_width":3.5,"petal_length":1.4,"petal_width":0.#})"
                  "\n");
BENCHMARK(forward)->Arg(1)->Arg(64)->Arg(1024)->Arg(4096)->Arg(16384);
BENCHMARK_CAPTURE(format, csv, RowFormat::kCsv, {});
BENCHMARK_CAPTURE(format, csv_with_probabilities, RowFormat::kCsv, {.probabilities = true});
BENCHMARK_CAPTURE(format, csv_with_logits, RowFormat::kCsv, {.logits = true});
BENCHMARK_CAPTURE(format, ndjson, RowFormat::kNdjson, {});

}  // namespace

BENCHMARK_MAIN();
