#include "serve/metrics.h"

#include <gtest/gtest.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

namespace iris::serve {
namespace {

using std::chrono::milliseconds;

constexpr double kBounds[] = {1, 2};

// Whether the line is one of the text's.
bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::string text_of(const Metrics& metrics, const std::string& model = "m") { return metrics.text(model, true, 5); }

TEST(Histogram, CountsEachValueInTheBoundsAboveIt) {
  Histogram histogram(kBounds);
  for (const double value : {0.5, 1.0, 1.5, 9.0}) {
    histogram.observe(value);
  }
  std::string text;
  histogram.append("name", "", text);
  EXPECT_EQ(text,
            "name_bucket{le=\"1.0\"} 2\nname_bucket{le=\"2.0\"} 3\nname_bucket{le=\"+Inf\"} 4\n"
            "name_sum 12.0\nname_count 4\n");
}

TEST(Histogram, WritesItsLabelsWithEachSample) {
  std::string text;
  Histogram(kBounds).append("name", "route=\"/\"", text);
  EXPECT_EQ(text,
            "name_bucket{route=\"/\",le=\"1.0\"} 0\nname_bucket{route=\"/\",le=\"2.0\"} 0\n"
            "name_bucket{route=\"/\",le=\"+Inf\"} 0\nname_sum{route=\"/\"} 0.0\nname_count{route=\"/\"} 0\n");
}

TEST(Metrics, CountRequestsByRouteMethodAndStatus) {
  Metrics metrics;
  metrics.count_request(Route::kPredict, "POST", 200, milliseconds(1));
  metrics.count_request(Route::kPredict, "POST", 200, milliseconds(1));
  metrics.count_request(Route::kPredict, "GET", 405, milliseconds(1));
  const std::string text = text_of(metrics);
  EXPECT_TRUE(has(text, R"(iris_http_requests_total{route="/predict",method="POST",code="200"} 2)"));
  EXPECT_TRUE(has(text, R"(iris_http_requests_total{route="/predict",method="GET",code="405"} 1)"));
  EXPECT_TRUE(has(text, "iris_http_request_duration_seconds_count 3"));
}

TEST(Metrics, CountUnknownMethodsTogether) {
  Metrics metrics;
  metrics.count_request(Route::kUnknown, "BREW", 404, milliseconds(1));
  metrics.count_request(Route::kUnknown, "", 404, milliseconds(1));
  EXPECT_TRUE(has(text_of(metrics), R"~(iris_http_requests_total{route="(unknown)",method="other",code="404"} 2)~"));
}

TEST(Metrics, CountInferencesByOutcome) {
  Metrics metrics;
  metrics.count_inference(Outcome::kSuccess, milliseconds(1));
  metrics.count_inference(Outcome::kRefused, milliseconds(1));
  const std::string text = text_of(metrics);
  EXPECT_TRUE(has(text, R"(iris_inference_requests_total{model="m",outcome="success"} 1)"));
  EXPECT_TRUE(has(text, R"(iris_inference_requests_total{model="m",outcome="failure"} 0)"));
  EXPECT_TRUE(has(text, R"(iris_inference_requests_total{model="m",outcome="refused"} 1)"));
}

TEST(Metrics, CountPassesAndTheirRows) {
  Metrics metrics;
  metrics.count_pass(3, milliseconds(1));
  metrics.count_pass(64, milliseconds(1));
  const std::string text = text_of(metrics);
  EXPECT_TRUE(has(text, "iris_inference_rows_total 67"));
  EXPECT_TRUE(has(text, R"(iris_inference_batch_rows_bucket{le="4.0"} 1)"));
  EXPECT_TRUE(has(text, "iris_inference_compute_seconds_count 2"));
}

TEST(Metrics, CountReloadsByOutcome) {
  Metrics metrics;
  metrics.count_reload(true);
  metrics.count_reload(false);
  metrics.count_reload(false);
  EXPECT_TRUE(has(text_of(metrics), R"(iris_model_reloads_total{outcome="success"} 1)"));
  EXPECT_TRUE(has(text_of(metrics), R"(iris_model_reloads_total{outcome="failure"} 2)"));
}

TEST(Metrics, TellTheGauges) {
  const Metrics metrics;
  EXPECT_TRUE(has(metrics.text("m", true, 5), "iris_inference_pending_rows 5"));
  EXPECT_TRUE(has(metrics.text("m", true, 5), R"(iris_model_ready{model="m"} 1)"));
  EXPECT_TRUE(has(metrics.text("m", false, 5), R"(iris_model_ready{model="m"} 0)"));
}

TEST(Metrics, EscapeAModelsName) {
  EXPECT_TRUE(has(text_of(Metrics(), "a\"\\b"), R"(iris_model_ready{model="a\"\\b"} 1)"));
}

TEST(Metrics, GiveTritonsStatistics) {
  Metrics metrics;
  metrics.count_pass(3, milliseconds(1));
  metrics.count_inference(Outcome::kSuccess, milliseconds(2));
  metrics.count_inference(Outcome::kFailure, milliseconds(3));
  metrics.count_inference(Outcome::kRefused, milliseconds(4));
  const auto stats = nlohmann::json::parse(metrics.stats_json("m"))["model_stats"][0];
  EXPECT_EQ(stats["name"], "m");
  EXPECT_EQ(stats["inference_count"], 3);
  EXPECT_EQ(stats["execution_count"], 1);
  EXPECT_EQ(stats["inference_stats"]["success"], (nlohmann::json{{"count", 1}, {"ns", 2'000'000}}));
  EXPECT_EQ(stats["inference_stats"]["fail"], (nlohmann::json{{"count", 2}, {"ns", 7'000'000}}));
}

double value_of(const std::string& name) {
  const std::string all = Metrics().text("m", true, 0);
  const std::size_t place = all.find("\n" + name + " ");
  return place == std::string::npos ? -1 : std::stod(all.substr(place + name.size() + 2));
}

TEST(ProcessMetrics, HaveAValueForEachName) {
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
                           "process_open_fds", "process_max_fds", "process_start_time_seconds"}) {
    EXPECT_GT(value_of(name), 0) << name;
  }
}

TEST(ProcessMetrics, TellTheTypeBeforeTheValue) {
  EXPECT_NE(Metrics()
                .text("m", true, 0)
                .find("# HELP process_open_fds File descriptors in use.\n# TYPE process_open_fds gauge\n"
                      "process_open_fds "),
            std::string::npos);
}

TEST(ProcessMetrics, KnowThatTheProcessHasStarted) {
  EXPECT_LE(value_of("process_start_time_seconds"), static_cast<double>(std::time(nullptr)) + 1);
}

TEST(Metrics, TheStatisticsSayHowLongBatchesOfEachSizeTook) {
  Metrics metrics;
  for (const int factor : {1, 2}) {
    metrics.count_pass(3, std::chrono::milliseconds(10 * factor));
    metrics.count_copies(3, std::chrono::microseconds(20 * factor), std::chrono::microseconds(300 * factor));
  }
  metrics.count_pass(1, std::chrono::milliseconds(1));
  const auto stats = nlohmann::json::parse(metrics.stats_json("m"))["model_stats"][0];
  const auto duration = [](int count, int ns) { return nlohmann::json{{"count", count}, {"ns", ns}}; };
  EXPECT_EQ(stats["batch_stats"].size(), 2);
  EXPECT_EQ(stats["batch_stats"][1], (nlohmann::json{{"batch_size", 3},
                                                     {"compute_input", duration(2, 60'000)},
                                                     {"compute_infer", duration(2, 30'000'000)},
                                                     {"compute_output", duration(2, 900'000)}}));
  EXPECT_EQ(stats["inference_stats"]["compute_input"], duration(3, 60'000));
  EXPECT_EQ(stats["inference_stats"]["compute_output"], duration(3, 900'000));
}

}  // namespace
}  // namespace iris::serve
