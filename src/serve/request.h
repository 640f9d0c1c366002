// A request as the routes see it, whatever carried it.
#pragma once

#include <string>

#include "serve/routes.h"

namespace iris::serve {

// A whole request. Of its headers, those that are acted upon; an absent one is empty.
struct Request {
  std::string method;
  std::string target;
  std::string body;
  std::string authorization;
  std::string accept_encoding;
  std::string content_encoding;
  std::string expect;
  std::string inference_header_length;
  std::string origin;
  std::string preflight_method;  // Access-Control-Request-Method
  std::string request_id;
  std::string traceparent;
  RouteMatch match;  // of the target; set by Service::check_head
  bool keep_alive = true;
  bool is_http_1_0 = false;
  bool is_from_loopback = false;

  // Makes room for the connection's next request. Memory is kept, up to 64 KiB of a body.
  void clear();
};

}  // namespace iris::serve
