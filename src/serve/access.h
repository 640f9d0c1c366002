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

  // Whether a browser asks for leave before it sends the request of a page of another origin.
  bool is_preflight(const Request& request) const;
  Response preflight(const Request& request) const;

  // Throws RequestError 401 where the route needs the key and the request does not have it.
  void check(const Request& request) const;

  // Throws RequestError 403 where no key is set and the caller may not load and unload models: a caller on another
  // machine, or a page in a browser on this machine, whatever --cors-origin says.
  void check_may_manage(const Request& request) const;

  // Adds what a browser needs before it hands the answer to a page of another origin.
  void add_headers(const Request& request, Response& response) const;

 private:
  bool is_welcome_origin(const Request& request) const;

  const std::string api_key_;
  const std::string cors_origin_;
};

}  // namespace iris::serve
