// Requests to answers: what each route does. No sockets in it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "serve/access.h"
#include "serve/batcher.h"
#include "serve/body_budget.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/model_slot.h"
#include "serve/options.h"
#include "serve/protocol/response.h"
#include "serve/request.h"
#include "serve/routes.h"

namespace iris::serve {

class Service {
 public:
  using Reply = std::function<void(Response response)>;

  // Each context has a thread of its own, which must have ended before this goes.
  struct Contexts {
    boost::asio::io_context passes{1};        // of models that take their time
    boost::asio::io_context large_bodies{1};  // their parsing
    boost::asio::io_context loads{1};         // of models
  };

  // Throws what `load` throws.
  Service(const ServerOptions& options, LoadModel load, Contexts& contexts, Log& log);

  // For each thread that reads requests one of its own, on which quick models run.
  std::unique_ptr<Batcher> make_batcher(boost::asio::io_context& context);

  // Finds the route. Throws RequestError where a request's head alone is reason to refuse it: a bad path, 401, 417.
  void check_head(Request& request) const;

  // After check_head. Calls `reply` once, now or later, on any thread; `request` must stay until then. Throws
  // RequestError instead.
  void handle(const Request& request, Batcher& quick, Reply reply);

  // Packs the body as the client allows, and adds what a page of another origin needs.
  void complete(const Request& request, Response& response) const;

  // To be called with each answer that goes out.
  void finished(const Request& request, const Response& response, Clock::duration took);

  // On the thread for it; the outcome goes to the log. Nothing where one that was asked for has not begun.
  void reload();

  void start_draining() { is_draining_ = true; }
  bool is_draining() const { return is_draining_; }

  // Of all connections' requests.
  BodyBudget bodies;

 private:
  const char* trouble() const;
  Response answer_at_once(const Request& request) const;
  Response ready(std::string body) const;
  void infer(const Request& request, Batcher& quick, Clock::time_point arrived, const Reply& reply);
  void load_again(const Request& request, const Reply& reply);
  nlohmann::json body_object(const Request& request) const;
  void check_model(const RouteMatch& match) const;

  const ServerOptions& options_;
  const Access access_;
  Log& log_;
  mutable Metrics metrics_;
  ModelSlot slot_;
  Contexts& contexts_;
  InferenceState inference_;
  Batcher slow_;
  std::atomic<bool> is_draining_ = false;
  std::atomic<bool> is_reload_waiting_ = false;
};

}  // namespace iris::serve
