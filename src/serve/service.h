// Requests to answers: what each route does. No sockets in it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "serve/batcher.h"
#include "serve/http.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/model_slot.h"
#include "serve/options.h"
#include "serve/routes.h"

namespace iris::serve {

class Service {
 public:
  using Reply = std::function<void(Response response)>;

  // `passes`: its thread runs the models that take their time; `background`: its thread, large bodies and reloads.
  // Throws what `load` throws.
  Service(const ServerOptions& options, LoadModel load, boost::asio::io_context& passes,
          boost::asio::io_context& background, Log& log);

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

  // On the background thread; the outcome goes to the log.
  void reload();

  void start_draining() { is_draining_ = true; }
  bool is_draining() const { return is_draining_; }
  bool is_ready() const { return !is_draining_ && !slot_.is_dead(); }

 private:
  Response answer_at_once(const Request& request) const;
  Response preflight(const Request& request) const;
  Response health(Route route) const;
  void infer(const Request& request, Batcher& quick, const Reply& reply);
  void load_again(const Request& request, const Reply& reply);
  nlohmann::json body_object(const Request& request) const;
  void check_model(const RouteMatch& match) const;
  bool is_allowed(const Request& request) const;

  const ServerOptions& options_;
  Log& log_;
  mutable Metrics metrics_;
  ModelSlot slot_;
  boost::asio::io_context& background_;
  InferenceState inference_;
  Batcher slow_;
  std::atomic<bool> is_draining_ = false;
};

}  // namespace iris::serve
