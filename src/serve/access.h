// Who may ask for what: the key, callers on this machine, pages of other origins.
#pragma once

#include <string>
#include <utility>

#include "serve/protocol/response.h"
#include "serve/request.h"

namespace iris::serve {

// Any number of threads may use it.
class Access {
 public:
  // `api_key`: empty where no key is asked for. `cors_origin`: whose pages may ask; "*": all; empty: no other origin's.
  Access(std::string api_key, std::string cors_origin)
      : api_key_(std::move(api_key)), cors_origin_(std::move(cors_origin)) {}

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

  const std::string api_key_;
  const std::string cors_origin_;
};

}  // namespace iris::serve
