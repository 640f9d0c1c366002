#include "serve/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "serve/compression.h"
#include "serve/fake_model.h"
#include "serve/pipe.h"
#include "serve/refusal.h"

namespace iris::serve {
namespace {

// A service without sockets and threads: what it hands to others is run by answer().
class ServiceTest : public testing::Test {
 protected:
  Service& service() {
    if (!service_) {
      service_ = std::make_unique<Service>(options, [this] { return load(); }, contexts_, log_);
      batcher_ = service_->make_batcher(worker_);
    }
    return *service_;
  }

  Response answer(Request request) {
    Response answer;
    try {
      service().check_head(request);
      service().handle(request, *batcher_, [&](Response response) { answer = std::move(response); });
    } catch (const RequestError& error) {
      answer = error_response(error.status, error.what());
    }
    run();
    service().complete(request, answer);
    return answer;
  }

  void run() {
    for (auto* context : {&contexts_.loads, &contexts_.large_bodies, &contexts_.passes}) {
      context->restart();
      context->poll();
    }
    run_worker();
  }

  void run_worker() {
    worker_.restart();
    worker_.poll();
  }

  Batcher& batcher() {
    service();
    return *batcher_;
  }

  Response answer(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.is_from_loopback = true;
    return answer(request);
  }

  int status(const std::string& method, const std::string& target, const std::string& body = "") {
    return answer(method, target, body).status;
  }

  std::string metric(const std::string& sample) {
    const std::string text = answer("GET", "/metrics").body;
    const std::size_t place = text.find("\n" + sample + " ");
    return place == std::string::npos
               ? ""
               : text.substr(place + sample.size() + 2, text.find('\n', place + 1) - place - sample.size() - 2);
  }

  ServerOptions options;
  std::function<std::shared_ptr<const Model>()> load = [] { return std::make_shared<FakeModel>(); };

 private:
  const Nowhere nowhere_{};
  Log log_{LogFormat::kText, nowhere_.descriptor};
  boost::asio::io_context worker_{1};
  Service::Contexts contexts_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Batcher> batcher_;
};

std::string header(const Response& response, std::string_view name) {
  for (const auto& [each, value] : response.headers) {
    if (each == name) {
      return value;
    }
  }
  return "";
}

TEST_F(ServiceTest, SaysOfEveryRouteWhichMethodsItTakes) {
  const std::pair<const char*, const char*> routes[] = {
      {"/", "GET, HEAD"},
      {"/page.js", "GET, HEAD"},
      {"/page.css", "GET, HEAD"},
      {"/iris.csv", "GET, HEAD"},
      {"/predict", "POST"},
      {"/v2", "GET, HEAD"},
      {"/v2/", "GET, HEAD"},
      {"/v2/health/live", "GET, HEAD"},
      {"/v2/health/ready", "GET, HEAD"},
      {"/v2/models/stats", "GET, HEAD"},
      {"/v2/models/iris", "GET, HEAD"},
      {"/v2/models/iris/ready", "GET, HEAD"},
      {"/v2/models/iris/config", "GET, HEAD"},
      {"/v2/models/iris/stats", "GET, HEAD"},
      {"/v2/models/iris/infer", "POST"},
      {"/v2/models/iris/versions/1", "GET, HEAD"},
      {"/v2/models/iris/versions/1/ready", "GET, HEAD"},
      {"/v2/models/iris/versions/1/config", "GET, HEAD"},
      {"/v2/models/iris/versions/1/stats", "GET, HEAD"},
      {"/v2/models/iris/versions/1/infer", "POST"},
      {"/v2/repository/index", "POST"},
      {"/v2/repository/models/iris/load", "POST"},
      {"/v2/repository/models/iris/unload", "POST"},
      {"/v1/models", "GET, HEAD"},
      {"/v1/models/iris", "GET, HEAD"},
      {"/v1/models/iris:predict", "POST"},
      {"/metrics", "GET, HEAD"},
      {"/openapi.json", "GET, HEAD"},
  };
  for (const auto& [path, methods] : routes) {
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "A"}) {
      const Response response = answer(method, path, "[1,2,3,4]");
      const bool is_taken = methods == std::string("POST")
                                ? method == std::string("POST")
                                : method == std::string("GET") || method == std::string("HEAD");
      EXPECT_EQ(response.status == 405, !is_taken) << method << " " << path << " " << response.status;
      EXPECT_EQ(header(response, "Allow"), is_taken ? "" : methods) << method << " " << path;
    }
    answer("POST", "/v2/repository/models/iris/load");  // for the routes that come after unload
  }
}

TEST_F(ServiceTest, ErrorsAreJsonWithOneMember) {
  for (const char* path : {"/nothing", "/v2/models/other", "/v2/models/iris/versions/2", "/v2/models/%", "/predict"}) {
    const Response response = answer("GET", path);
    EXPECT_STREQ(response.content_type, "application/json");
    const auto json = nlohmann::json::parse(response.body);
    EXPECT_EQ(json.size(), 1);
    EXPECT_TRUE(json["error"].is_string()) << path;
  }
}

TEST_F(ServiceTest, OnlyThisMachineLoadsAndUnloads) {
  for (const char* verb : {"load", "unload"}) {
    Request request;
    request.method = "POST";
    request.target = std::string("/v2/repository/models/iris/") + verb;
    EXPECT_EQ(
        answer(request).body,
        R"({"error":"models are loaded and unloaded by callers on this machine, or with the key of --api-key-file"})");
    EXPECT_EQ(answer(request).status, 403);
    request.is_from_loopback = true;
    request.origin = "https://elsewhere.example";  // a page that somebody on this machine has open
    EXPECT_EQ(answer(request).status, 403);
    request.origin = "";
    EXPECT_EQ(answer(request).status, 200);
  }
}

TEST_F(ServiceTest, WithTheKeyOtherMachinesLoadToo) {
  options.api_key = "secret";
  Request request;
  request.method = "POST";
  request.target = "/v2/repository/models/iris/load";
  EXPECT_EQ(answer(request).status, 401);
  request.authorization = "bearer secret";
  EXPECT_EQ(answer(request).status, 200);
}

TEST_F(ServiceTest, AnUnloadedModelIsNotReadyUntilItIsLoadedAgain) {
  EXPECT_EQ(status("POST", "/v2/repository/models/iris/unload", R"({"parameters":{"unload_dependents":false}})"), 200);
  for (const char* path : {"/", "/openapi.json"}) {
    EXPECT_EQ(status("GET", path), 200) << path;
  }
  for (const char* path :
       {"/v2/health/ready", "/v2/models/iris", "/v2/models/iris/ready", "/v2/models/iris/config", "/v1/models/iris"}) {
    const Response response = answer("GET", path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(header(response, "Retry-After"), "1") << path;
  }
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4]"), 503);
  EXPECT_EQ(status("GET", "/v2/health/live"), 200);
  EXPECT_EQ(metric("iris_model_ready{model=\"iris\"}"), "0");
  EXPECT_EQ(nlohmann::json::parse(answer("POST", "/v2/repository/index").body)[0]["state"], "UNAVAILABLE");
  EXPECT_EQ(status("POST", "/v2/repository/models/iris/load"), 200);
  EXPECT_EQ(status("GET", "/v2/health/ready"), 200);
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4]"), 200);
}

TEST_F(ServiceTest, AFailedLoadLeavesTheModelAndSaysSo) {
  service();
  load = []() -> std::shared_ptr<const Model> { throw std::runtime_error("model.pt: is cut short"); };
  const Response response = answer("POST", "/v2/repository/models/iris/load");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, R"({"error":"model.pt: is cut short; the model loaded before still serves"})");
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4]"), 200);
  EXPECT_EQ(metric("iris_model_reloads_total{outcome=\"failure\"}"), "1");
}

TEST_F(ServiceTest, WhatManySignalsAskForIsLoadedOnce) {
  int loads = 0;
  load = [&loads] {
    ++loads;
    return std::make_shared<FakeModel>();
  };
  for (int i = 0; i < 100; ++i) {
    service().reload();
  }
  answer("GET", "/v2");
  EXPECT_EQ(loads, 2);  // with the first
  service().reload();
  answer("GET", "/v2");
  EXPECT_EQ(loads, 3);
}

TEST_F(ServiceTest, NoPassHasMoreRowsThanItMay) {
  options.max_batch_rows = 4;
  std::string rows;
  std::vector<int> expected;
  for (int i = 0; i < 10; ++i) {
    rows += std::string(rows.empty() ? "" : ",") + (i % 3 == 0 ? "[1,2,0,0]" : "[2,1,0,0]");
    expected.push_back(i % 3 == 0 ? 1 : 0);
  }
  const auto json = nlohmann::json::parse(answer("POST", "/predict", "[" + rows + "]").body);
  std::vector<int> classes;
  for (const auto& prediction : json["predictions"]) {
    classes.push_back(prediction["index"]);
  }
  EXPECT_EQ(classes, expected);
  EXPECT_EQ(metric("iris_inference_batch_rows_count"), "3");
  EXPECT_EQ(metric("iris_inference_batch_rows_bucket{le=\"4.0\"}"), "3");
  EXPECT_EQ(metric("iris_inference_rows_total"), "10");
}

TEST_F(ServiceTest, ARequestOfMoreRowsThanTheQueueHoldsIsTooLarge) {
  options.max_queue_rows = 2;
  const Response response = answer("POST", "/predict", "[[1,2,3,4],[1,2,3,4],[1,2,3,4]]");
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(status("POST", "/predict", "[[1,2,3,4],[1,2,3,4]]"), 200);
}

TEST_F(ServiceTest, SaysWhichRouteIsNotThere) {
  const Response response = answer("GET", "/nothing");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":"there is no route \"/nothing\"; GET /openapi.json lists them"})");
}

TEST_F(ServiceTest, SaysWhichModelItHas) {
  const Response response = answer("GET", "/v2/models/other");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":"there is no model \"other\"; this server has \"iris\""})");
}

TEST_F(ServiceTest, SaysWhichVersionItHas) {
  const Response response = answer("GET", "/v2/models/iris/versions/2");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":"there is no version \"2\" of \"iris\"; there is 1"})");
}

TEST_F(ServiceTest, SaysWhichMethodsARouteTakes) {
  const Response response = answer("GET", "/predict");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.body, R"({"error":"/predict: takes POST, not GET"})");
}

TEST_F(ServiceTest, AnswersABodyThatIsParsedOnAnotherThread) {
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4" + std::string(100'000, ' ') + "]"), 200);
}

TEST_F(ServiceTest, RefusesABodyThatIsParsedOnAnotherThread) {
  const Response response = answer("POST", "/predict", "[1,2,3" + std::string(100'000, ' ') + "]");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"error":"instance: has 3 numbers, not 4: a, b, c, d"})");
}

// 16 KiB of gzip that are 1 MiB of JSON, which would be 40 MiB of values.
Request packed_objects(const char* target, const std::string& begin = "{\"z\":[", const std::string& end = "]}") {
  std::string body = begin + "{}";
  while (body.size() < 1 << 20) {
    body += ",{}";
  }
  Request request;
  request.method = "POST";
  request.target = target;
  request.body = encoded(body + end, "gzip");
  request.content_encoding = "gzip";
  request.is_from_loopback = true;
  return request;
}

TEST_F(ServiceTest, WhatIsParsedOfABodyIsBounded) {
  options.max_memory = 8 << 20;
  options.max_body = 2 << 20;
  const std::string refusal =
      R"({"error":"the body takes more memory, unpacked and parsed, than the 8388608 bytes that all requests share"})";
  for (const auto& [begin, end] : {std::pair("[", "]"), std::pair("{\"instances\":[", "]}")}) {
    const Response response = answer(packed_objects("/predict", begin, end));
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.body, refusal);
  }
  EXPECT_EQ(answer(packed_objects("/v2/models/iris/infer", "{\"inputs\":[", "]}")).body, refusal);
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4]"), 200);
}

TEST_F(ServiceTest, MembersThatNobodyAskedForTakeNoMemory) {
  options.max_memory = 8 << 20;
  options.max_body = 2 << 20;
  EXPECT_EQ(answer(packed_objects("/predict")).body,
            R"({"error":"instance.a: is missing; the features are a, b, c, d"})");
  EXPECT_EQ(answer(packed_objects("/predict", "{\"x\":[", "],\"instances\":[[1,2,3,4]]}")).status, 200);
  EXPECT_EQ(answer(packed_objects("/v2/models/iris/infer")).body, R"({"error":"inputs: is missing"})");
  for (const char* target : {"/v2/repository/index", "/v2/repository/models/iris/load"}) {
    EXPECT_EQ(answer(packed_objects(target)).status, 200) << target;
  }
}

TEST_F(ServiceTest, ABodyOfNumbersUpToTheLimitFits) {
  options.max_memory = 1;
  options.max_body = 1 << 20;
  options.max_queue_rows = 1 << 20;
  std::string rows = "[1,2,3,4.5]";
  while (rows.size() < (1 << 20) - 100) {
    rows += ",[1,2,3,4.5]";
  }
  EXPECT_EQ(status("POST", "/predict", "{\"instances\":[" + rows + "]}"), 200);
}

TEST_F(ServiceTest, RefusesABodyWhileOthersHoldTheMemory) {
  options.max_memory = 8 << 20;
  options.max_body = 2 << 20;
  MemoryBudget::Share others(service().memory);
  EXPECT_TRUE(others.resize(7 << 20));
  EXPECT_EQ(answer(packed_objects("/predict", "[", "]")).body,
            R"({"error":"all requests together are as large as this server takes; try again"})");
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4]"), 200);
}

TEST_F(ServiceTest, GivesTheMemoryOfEveryRequestBack) {
  options.max_memory = 8 << 20;
  options.max_body = 2 << 20;
  for (int i = 0; i < 30; ++i) {
    answer(packed_objects("/predict", "[", "]"));
    EXPECT_EQ(status("POST", "/predict", "[1,2,3,4" + std::string(1'000'000, ' ') + "]"), 200);
  }
  MemoryBudget::Share all(service().memory);
  EXPECT_TRUE(all.resize(8 << 20));
}

TEST_F(ServiceTest, ParsesNoLargeBodyForACallerWhoHasLeft) {
  Request request = packed_objects("/predict");
  request.has_left.is_set = true;
  const Response response = answer(request);
  EXPECT_EQ(response.status, 499);
  EXPECT_EQ(response.body, R"({"error":"the caller left before the answer"})");
}

TEST_F(ServiceTest, ComputesNothingForACallerWhoHasLeft) {
  Request request;
  request.method = "POST";
  request.target = "/predict";
  request.body = "[1,2,3,4]";
  request.has_left.is_set = true;
  EXPECT_EQ(answer(request).status, 499);
  EXPECT_EQ(metric("iris_inference_rows_total"), "0");
  EXPECT_EQ(metric("iris_inference_pending_rows"), "0");
}

TEST_F(ServiceTest, ALargeBodyIsParsedInTimeOrNotAtAll) {
  options.timeout = std::chrono::milliseconds(-1);
  EXPECT_EQ(answer(packed_objects("/predict")).body, R"({"error":"the body could not be parsed in time; try again"})");
}

TEST_F(ServiceTest, FewLargeBodiesWaitToBeParsed) {
  const Request request = packed_objects("/predict");
  Batcher& quick = batcher();
  std::vector<int> statuses;
  std::vector<std::string> refusals;
  std::vector<Request> requests(20, request);
  for (Request& each : requests) {
    service().check_head(each);
    refusals.push_back(refusal([&] {
      service().handle(each, quick, [&](const Response& response) { statuses.push_back(response.status); });
    }));
  }
  EXPECT_EQ(std::count(refusals.begin(), refusals.end(),
                       "503 as many large bodies wait to be parsed as this server takes; try again"),
            4);
  run();
  EXPECT_EQ(statuses, std::vector<int>(16, 400));
  EXPECT_EQ(answer(request).status, 400);
}

TEST_F(ServiceTest, ASmallPackedBodyDoesNotWaitForLargeOnes) {
  Request request;
  request.method = "POST";
  request.target = "/predict";
  request.body = encoded("[1,2,3,4]", "gzip");
  request.content_encoding = "gzip";
  service().check_head(request);
  int status = 0;
  service().handle(request, batcher(), [&](const Response& response) { status = response.status; });
  run_worker();
  EXPECT_EQ(status, 200);
}

TEST_F(ServiceTest, TheCallersDeadlineEndsAWaitForOthers) {
  options.max_wait = std::chrono::hours(1);
  Request request;
  request.method = "POST";
  request.target = "/v2/models/iris/infer";
  request.body = R"({"parameters":{"timeout":30000},"inputs":[)"
                 R"({"name":"input","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]})";
  service().check_head(request);
  std::string body;
  const auto start = Clock::now();
  service().handle(request, batcher(), [&](const Response& response) { body = response.body; });
  while (body.empty() && Clock::now() - start < std::chrono::seconds(10)) {
    run();
  }
  EXPECT_EQ(body, R"({"error":"parameters.timeout: was over before the model had answered"})");
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(30));
}

TEST_F(ServiceTest, AnEndingSendsOnABatchThatWaits) {
  options.max_wait = std::chrono::hours(1);
  Request request;
  request.method = "POST";
  request.target = "/predict";
  request.body = "[1,2,3,4]";
  service().check_head(request);
  int status = 0;
  service().handle(request, batcher(), [&](const Response& response) { status = response.status; });
  run();
  EXPECT_EQ(status, 0);
  service().start_draining();
  run();
  EXPECT_EQ(status, 200);
  EXPECT_EQ(answer(request).status, 200);  // nor does the next one wait
}

TEST_F(ServiceTest, MissingMemoryIsA503) {
  class LargeModel : public FakeModel {
    void predict(std::span<const float>, std::size_t, Predictions&) const override { throw std::bad_alloc(); }
    bool is_alive() const override { return false; }
  };
  load = [] { return std::make_shared<LargeModel>(); };
  const Response response = answer("POST", "/predict", "[1,2,3,4]");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, R"({"error":"there is not enough memory for this request; try again"})");
  EXPECT_EQ(status("GET", "/v2/health/live"), 200);
}

TEST_F(ServiceTest, RefusesParametersOfALoad) {
  const Response response = answer("POST", "/v2/repository/models/iris/load", R"({"parameters":{"config":"{}"}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"error":"parameters: none is supported; the model is read again from its own file"})");
}

TEST_F(ServiceTest, RefusesALoadWhoseBodyIsNotAnObject) {
  const Response response = answer("POST", "/v2/repository/models/iris/load", "[]");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"error":"the body has to be a JSON object"})");
}

TEST_F(ServiceTest, PacksALargeAnswerAsTheClientAllows) {
  Request request;
  request.method = "GET";
  request.target = "/openapi.json";
  request.accept_encoding = "gzip";
  const Response response = answer(request);
  EXPECT_EQ(header(response, "Content-Encoding"), "gzip");
  EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
}

TEST_F(ServiceTest, DoesNotPackASmallAnswer) {
  Request request;
  request.method = "GET";
  request.target = "/v2";
  request.accept_encoding = "gzip";
  EXPECT_EQ(header(answer(request), "Content-Encoding"), "");
}

TEST_F(ServiceTest, IsAliveButNotReadyWhileItDrains) {
  service().start_draining();
  EXPECT_EQ(answer("GET", "/v2/health/ready").body, R"({"error":"the server is ending"})");
  EXPECT_EQ(status("GET", "/v2/health/ready"), 503);
  EXPECT_EQ(status("GET", "/v2/health/live"), 200);
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,4]"), 200);
}

TEST_F(ServiceTest, ADeadModelIsNeitherAliveNorReady) {
  class DeadModel : public FakeModel {
    bool is_alive() const override { return false; }
  };
  load = [] { return std::make_shared<DeadModel>(); };
  EXPECT_EQ(status("POST", "/predict", "[1,2,3,-4]"), 500);
  for (const char* path : {"/v2/health/live", "/v2/health/ready"}) {
    EXPECT_EQ(answer("GET", path).body, R"({"error":"the model no longer answers; start the server again"})") << path;
    EXPECT_EQ(status("GET", path), 503) << path;
  }
}

TEST_F(ServiceTest, TheMetricsLabelsAreBounded) {
  for (int i = 0; i < 50; ++i) {
    Request request;
    request.method = "METHOD" + std::to_string(i);
    request.target = "/nothing/" + std::to_string(i);
    const Response response = answer(request);
    service().check_head(request);
    service().finished(request, response, std::chrono::milliseconds(1));
  }
  EXPECT_EQ(metric(R"~(iris_http_requests_total{route="(unknown)",method="other",code="404"})~"), "50");
}

}  // namespace
}  // namespace iris::serve
