// What each route does: requests to responses. It has no sockets.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "serve/access.h"
#include "serve/batcher.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/model_slot.h"
#include "serve/options.h"
#include "serve/protocol/memory_budget.h"
#include "serve/protocol/parse_limits.h"
#include "serve/protocol/response.h"
#include "serve/request.h"
#include "serve/routes.h"

namespace iris::serve {

class Service {
 public:
  using Reply = std::function<void(Response response)>;

  // Each context needs a thread of its own, which must have ended before the service is destroyed.
  struct Contexts {
    boost::asio::io_context passes{1};        // of models that are not quick
    boost::asio::io_context large_bodies{1};  // their parsing
    boost::asio::io_context loads{1};         // of models
  };

  // Throws what `load` throws.
  Service(const ServerOptions& options, LoadModel load, Contexts& contexts, Log& log);

  // A batcher that runs quick models. Each thread that reads requests needs one of its own.
  std::unique_ptr<Batcher> make_batcher(boost::asio::io_context& context);

  // Sets request.match. Throws RequestError where the head alone is a reason to refuse the request: a bad path, 401,
  // 417.
  void check_head(Request& request) const;

  // To be called on each thread that serves connections, and on that of passes. What LibTorch keeps for a thread that
  // runs passes is made then, while there is memory for it: without, glibc ends the process.
  void prepare_thread(bool serves_connections) const;

  // After check_head. Calls `reply` once, now or later, on any thread; `request` must live until then. Or throws
  // RequestError, and does not call `reply`.
  void handle(const Request& request, Batcher& quick, const Reply& reply);

  // Packs the body as the client allows, and adds the headers that a page of another origin needs.
  void complete(const Request& request, Response& response) const;

  // Counts and logs. To be called with each answer that goes out.
  void finished(const Request& request, const Response& response, Clock::duration took);

  // Loads the model again, on the thread of `loads`; the outcome goes to the log. Does nothing where an earlier call's
  // load has not begun yet.
  void reload();

  // Not ready from now on, and no pass waits for more rows.
  void start_draining();
  bool is_draining() const { return is_draining_; }

  // Of all connections' requests: their bodies, what is parsed of them, and answers that wait.
  MemoryBudget memory;

 private:
  const char* trouble() const;
  // Whether its passes run on the threads that serve connections.
  bool runs_at_once(const Model& model) const { return model.is_quick && options_.max_wait.count() == 0; }
  // A request with a body, unpacked; and what it may take.
  struct Question {
    const Request& request;
    std::string_view body;
    Clock::time_point arrived;
    MemoryBudget::Share& share;
    ParseLimits* limits;  // nullptr where the body is small
  };

  Response answer_at_once(const Request& request) const;
  Response ready(std::string body) const;
  bool unpack_small(const Request& request, std::string& unpacked) const;
  void answer_elsewhere(const Request& request, Batcher& quick, Clock::time_point arrived, const Reply& reply);
  void answer(const Question& question, Batcher& quick, const Reply& reply);
  void infer(const Question& question, Batcher& quick, const Reply& reply);
  void load_again(const Question& question, const Reply& reply);
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
  std::atomic<std::size_t> large_bodies_ = 0;  // that wait to be parsed, and the one that is
};

}  // namespace iris::serve
