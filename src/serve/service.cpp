#include "serve/service.h"

#include <malloc.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "serve/compression.h"
#include "serve/deadline.h"
#include "serve/documents.h"
#include "serve/protocol/descriptions.h"
#include "serve/protocol/inference.h"
#include "serve/protocol/instances.h"
#include "serve/protocol/json.h"
#include "text.h"

namespace iris::serve {
namespace {

namespace asio = boost::asio;

constexpr const char* kLate = "parameters.timeout: was over before the model had answered";
constexpr std::size_t kLargeBody = 64 << 10;  // to be parsed on a thread of its own
constexpr std::size_t kMostLargeBodies = 16;  // that wait for it
constexpr std::size_t kWorthTrimming = 16 << 20;
constexpr std::size_t kCountedRows = 16 << 10;  // bytes of a request's rows; fewer do not count in the memory of all
constexpr std::size_t kWorthPacking = 1 << 10;  // bytes of an answer
constexpr std::size_t kMostPacked = 1 << 20;    // packing more would hold up the thread's other connections
constexpr std::size_t kBodiesThatFit = 4;       // at least, of the largest allowed
constexpr std::size_t kLongestMethod = 32;      // in a log line

bool has_body(Route route) {
  switch (route) {
    case Route::kPredict:
    case Route::kV1Predict:
    case Route::kInfer:
    case Route::kRepositoryIndex:
    case Route::kRepositoryLoad:
    case Route::kRepositoryUnload:
      return true;
    default:
      return false;
  }
}

// The body of a route that takes an object or nothing.
nlohmann::json object_of(std::string_view body, ParseLimits* limits) {
  static constexpr std::string_view kWanted[] = {"parameters"};
  if (body.empty()) {
    return nlohmann::json::object();
  }
  auto object = parse_json(body, kWanted, limits);
  if (!object.is_object()) {
    throw RequestError(400, "the body has to be a JSON object");
  }
  return object;
}

bool allows(std::string_view methods, std::string_view method) {
  return methods == "GET, HEAD" ? method == "GET" || method == "HEAD" : methods == method;
}

// A document for a browser, with the headers that keep it safe there.
Response document(const char* content_type, std::string body) {
  return {.body = std::move(body),
          .content_type = content_type,
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-cache"}}};
}

}  // namespace

Service::Service(const ServerOptions& options, LoadModel load, Contexts& contexts, Log& log)
    : memory(std::max(options.max_memory, kBodiesThatFit * options.max_body)),
      options_(options),
      access_(options.api_key, options.cors_origin),
      log_(log),
      slot_(std::move(load), metrics_, log),
      contexts_(contexts),
      inference_{.max_batch_rows = options.max_batch_rows,
                 .max_queue_rows = options.max_queue_rows,
                 .metrics = metrics_,
                 .on_dead_model = [this](const std::string& message) { slot_.set_dead(message); }},
      slow_(contexts.passes, options.max_wait, inference_) {}

std::unique_ptr<Batcher> Service::make_batcher(asio::io_context& context) {
  return std::make_unique<Batcher>(context, std::chrono::microseconds(0), inference_);
}

void Service::check_head(Request& request) const {
  request.match = match_route(request.target);
  access_.check(request);
  if (!request.expect.empty() && !iequals(request.expect, "100-continue")) {
    throw RequestError(417, "Expect: only 100-continue is known here");
  }
}

void Service::handle(const Request& request, Batcher& quick, const Reply& reply) {
  const auto arrived = Clock::now();
  if (access_.is_preflight(request)) {
    reply(access_.preflight(request));
    return;
  }
  const RouteMatch& match = request.match;
  if (match.route == Route::kUnknown) {
    throw RequestError(404, "there is no route " + text::quoted(request.target) + "; GET /openapi.json lists them");
  }
  const std::string_view methods = allowed_methods(match.route);
  if (!allows(methods, request.method)) {
    Response response = error_response(405, std::string(template_of(match.route)) + ": takes " + std::string(methods) +
                                                ", not " + text::printable(request.method));
    response.headers.emplace_back("Allow", methods);
    reply(std::move(response));
    return;
  }
  check_model(match);
  if (match.route == Route::kRepositoryLoad || match.route == Route::kRepositoryUnload) {
    access_.check_may_manage(request);
  }
  const bool is_packed = !request.content_encoding.empty();
  std::string unpacked;
  if (!has_body(match.route)) {
    reply(answer_at_once(request));
  } else if (request.body.size() > kLargeBody || (is_packed && !unpack_small(request, unpacked))) {
    answer_elsewhere(request, quick, arrived, reply);
  } else {
    MemoryBudget::Share share(memory);
    answer({request, is_packed ? unpacked : request.body, arrived, share, nullptr}, quick, reply);
  }
}

// Returns false where it is not small.
bool Service::unpack_small(const Request& request, std::string& unpacked) const {
  try {
    unpacked = decoded(request.body, request.content_encoding, std::min(kLargeBody, options_.max_body));
    return true;
  } catch (const RequestError& error) {
    if (error.status != 413 || options_.max_body <= kLargeBody) {
      throw;
    }
    return false;
  }
}

void Service::answer_elsewhere(const Request& request, Batcher& quick, Clock::time_point arrived, const Reply& reply) {
  if (large_bodies_.fetch_add(1) >= kMostLargeBodies) {
    --large_bodies_;
    throw RequestError(503, "as many large bodies wait to be parsed as this server takes; try again");
  }
  const auto work = [this, &request, &quick, arrived, reply] {
    std::size_t most_taken = 0;
    try {
      MemoryBudget::Share share(memory);
      ParseLimits limits(share, arrived + options_.timeout, request.has_left, most_taken);
      limits.look_now();
      const bool is_packed = !request.content_encoding.empty();
      const std::string unpacked =
          is_packed ? decoded(request.body, request.content_encoding, options_.max_body, &limits) : std::string();
      answer({request, is_packed ? unpacked : request.body, arrived, share, &limits}, quick, reply);
    } catch (const std::exception& error) {
      reply(error_response(error));
    }
    return most_taken;
  };
  try {
    asio::post(contexts_.large_bodies, [this, work] {
      const bool was_large = work() > kWorthTrimming;
      if (--large_bodies_ == 0 && was_large) {
        ::malloc_trim(0);  // else the allocator keeps what millions of small values took
      }
    });
  } catch (const std::exception&) {
    --large_bodies_;
    throw;
  }
}

void Service::answer(const Question& question, Batcher& quick, const Reply& reply) {
  switch (question.request.match.route) {
    case Route::kRepositoryLoad:
      load_again(question, reply);
      break;
    case Route::kRepositoryUnload:
      object_of(question.body, question.limits);
      slot_.unload();
      reply({.body = "{}"});
      break;
    case Route::kRepositoryIndex:
      object_of(question.body, question.limits);
      reply({.body = repository_index_json(options_.name, trouble())});
      break;
    default:
      infer(question, quick, reply);
  }
}

void Service::check_model(const RouteMatch& match) const {
  if (!match.model.empty() && match.model != options_.name) {
    throw RequestError(
        404, "there is no model " + text::quoted(match.model) + "; this server has " + text::quoted(options_.name));
  }
  if (!match.version.empty() && match.version != "1") {
    throw RequestError(404, "there is no version " + text::quoted(match.version) + " of " +
                                text::quoted(options_.name) + "; there is 1");
  }
}

Response Service::answer_at_once(const Request& request) const {
  const std::string name = text::json_string(options_.name);
  switch (request.match.route) {
    case Route::kLive:
      return slot_.is_dead() ? error_response(503, trouble()) : Response{.body = R"({"live":true})"};
    case Route::kReady:
      return ready(R"({"live":true,"ready":true})");
    case Route::kPage:
      return document("text/html; charset=utf-8", page_html(options_.name, options_.max_queue_rows));
    case Route::kPageScript:
      return document("text/javascript; charset=utf-8", page_script());
    case Route::kPageStyle:
      return document("text/css; charset=utf-8", page_style());
    case Route::kPageData:
      return document("text/csv; charset=utf-8", iris_csv());
    case Route::kServer:
      return {.body = server_json()};
    case Route::kModel:
      return {.body = model_json(options_.name, *slot_.current())};
    case Route::kModelReady:
    case Route::kV1Model:
      return ready("{\"name\":" + name + ",\"ready\":true}");
    case Route::kModelConfig:
      return {.body = model_config_json(options_.name, *slot_.current(), options_.max_batch_rows, options_.max_wait)};
    case Route::kModelStats:
      return {.body = metrics_.stats_json(options_.name)};
    case Route::kV1Models:
      return {.body = "{\"models\":[" + name + "]}"};
    case Route::kMetrics:
      return {.body = metrics_.text(options_.name, trouble() == nullptr, inference_.pending_rows),
              .content_type = "text/plain; version=0.0.4; charset=utf-8"};
    default:
      return {.body = openapi_json(options_, slot_.is_loaded() ? slot_.current().get() : nullptr)};
  }
}

// Why the server is not ready; nullptr where it is.
const char* Service::trouble() const {
  return slot_.is_dead()       ? "the model no longer answers; start the server again"
         : !slot_.is_loaded()  ? kUnloaded
         : is_draining_.load() ? "the server is ending"
                               : nullptr;
}

Response Service::ready(std::string body) const {
  const char* const why_not = trouble();
  return why_not == nullptr ? Response{.body = std::move(body)} : error_response(503, why_not);
}

void Service::infer(const Question& question, Batcher& quick, const Reply& caller) {
  if (slot_.is_dead()) {
    throw RequestError(503, trouble());
  }
  const Request& request = question.request;
  const Route route = request.match.route;
  Job job{
      .model = slot_.current(), .rows = {}, .row_count = 0, .arrived = question.arrived, .deadline = {}, .done = {}};
  const Model* model = job.model.get();  // lives as long as the job
  job.is_given_up = &request.has_left.is_set;
  std::shared_ptr<Deadline> deadline;
  if (route == Route::kInfer) {
    auto parsed = std::make_shared<InferenceRequest>(
        parse_inference(*model, question.body, request.inference_header_length, question.limits));
    job.rows = std::move(parsed->rows.values);
    job.row_count = parsed->rows.count;
    Reply reply = caller;
    if (parsed->timeout) {
      job.deadline = question.arrived + *parsed->timeout;
      deadline = std::make_shared<Deadline>(quick.context(), caller);
      job.is_given_up = &deadline->is_over();
      reply = [deadline](Response response) { deadline->answer(std::move(response)); };
    }
    job.done = [this, model, parsed, reply = std::move(reply)](const Predictions* predictions, std::size_t first,
                                                               const RequestError* error) {
      reply(error == nullptr ? inference_response(options_.name, *model, *parsed, *predictions, first)
                             : error_response(*error));
    };
  } else {
    Rows rows = parse_instances(*model, question.body, route == Route::kPredict ? Bare::kAllowed : Bare::kRefused,
                                question.limits);
    job.rows = std::move(rows.values);
    job.row_count = rows.count;
    job.done = [model, count = rows.count, reply = caller](const Predictions* predictions, std::size_t first,
                                                           const RequestError* error) {
      reply(error == nullptr ? Response{.body = predictions_json(*model, *predictions, first, count), .rows = count}
                             : error_response(*error));
    };
  }
  // What was parsed is gone, and the rows remain.
  const std::size_t bytes = job.rows.capacity() * sizeof(float);
  if (!question.share.resize(bytes > kCountedRows ? bytes : 0)) {
    throw RequestError(503, ParseLimits::kRequestsAreLarge);
  }
  job.memory = std::move(question.share);
  const bool is_inline = runs_at_once(*model) && job.row_count <= options_.max_batch_rows;
  const auto when = job.deadline;
  (is_inline ? quick : slow_).add(std::move(job));
  if (deadline) {
    try {
      deadline->start(*when, error_response(504, kLate));
    } catch (const std::bad_alloc&) {
      deadline.reset();  // the job has its reply, and the batcher looks at its deadline too
    }
  }
}

void Service::load_again(const Question& question, const Reply& reply) {
  const auto body = object_of(question.body, question.limits);
  const auto parameters = body.find("parameters");
  if (parameters != body.end() && (!parameters->is_object() || !parameters->empty())) {
    throw RequestError(400, "parameters: none is supported; the model is read again from its own file");
  }
  asio::post(contexts_.loads, [this, reply] {
    const auto failure = slot_.reload();
    reply(failure ? error_response(500, *failure) : Response{.body = "{}"});
  });
}

void Service::reload() {
  if (is_reload_waiting_.exchange(true)) {
    return;
  }
  asio::post(contexts_.loads, [this] {
    is_reload_waiting_ = false;
    slot_.reload();
  });
}

void Service::prepare_thread(bool serves_connections) const {
  const std::shared_ptr<const Model> model = slot_.current();
  if (!serves_connections || runs_at_once(*model)) {
    model->is_alive();
  }
}

void Service::start_draining() {
  is_draining_ = true;
  slow_.hurry();
}

void Service::complete(const Request& request, Response& response) const {
  if (response.body.size() >= kWorthPacking && response.body.size() <= kMostPacked) {
    if (const std::string_view coding = accepted_coding(request.accept_encoding); !coding.empty()) {
      response.body = encoded(response.body, coding);
      response.headers.emplace_back("Content-Encoding", coding);
    }
    response.headers.emplace_back("Vary", "Accept-Encoding");
  }
  access_.add_headers(request, response);
}

void Service::finished(const Request& request, const Response& response, Clock::duration took) {
  const Route route = request.match.route;
  metrics_.count_request(route, request.method, response.status, took);
  const std::string_view method = request.method;
  log_.request({.method = method.empty() ? "-" : method.substr(0, kLongestMethod),
                .route = template_of(route),
                .status = response.status,
                .rows = response.rows,
                .took = took,
                .request_id = request.request_id,
                .traceparent = request.traceparent,
                .error = response.status >= 500 ? response.error : std::string_view()});
}

}  // namespace iris::serve
