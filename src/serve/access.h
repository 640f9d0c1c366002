// Who may ask for what: the key, callers on this machine, pages of other origins.
#pragma once

#include "serve/http.h"
#include "serve/options.h"

namespace iris::serve {

// Any number of threads may use it.
class Access {
 public:
  // `options` must outlive it.
  explicit Access(const ServerOptions& options) : options_(options) {}

  // Whether it is a browser's question before a page of another origin may ask.
  bool is_preflight(const Request& request) const;
  Response preflight(const Request& request) const;

  // Throws RequestError 401 where the key is asked for and is not there.
  void check(const Request& request) const;

  // Throws RequestError 403 for who may not load and unload: callers of other machines without a key, and pages of
  // other origins, which a browser on this machine may have open.
  void check_may_manage(const Request& request) const;

  // What a browser wants to see before it gives an answer to a page of another origin.
  void add_headers(const Request& request, Response& response) const;

 private:
  bool is_welcome_origin(const Request& request) const;

  const ServerOptions& options_;
};

}  // namespace iris::serve
