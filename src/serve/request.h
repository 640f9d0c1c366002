// A request as the routes see it, whatever carried it.
#pragma once

#include <boost/beast/core/string.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "serve/protocol/parse_limits.h"
#include "serve/routes.h"

namespace iris::serve {

// Whether the texts are the same but for the case of ASCII letters.
inline bool iequals(std::string_view left, std::string_view right) {
  return left.size() == right.size() && boost::beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

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
  std::string preflight_method;
  std::string request_id;
  std::string traceparent;
  RouteMatch match;  // of the target; set by Service::check_head
  bool keep_alive = true;
  bool is_http_1_0 = false;
  bool is_from_loopback = false;
  Flag has_left;  // the caller; set while the answer is made

  // Makes room for the connection's next request. Memory is kept, up to 64 KiB of a body.
  void clear();
};

// The headers that are acted upon.
inline constexpr std::pair<std::string_view, std::string Request::*> kHeaders[] = {
    {"Authorization", &Request::authorization},
    {"Accept-Encoding", &Request::accept_encoding},
    {"Content-Encoding", &Request::content_encoding},
    {"Expect", &Request::expect},
    {"Inference-Header-Content-Length", &Request::inference_header_length},
    {"Origin", &Request::origin},
    {"Access-Control-Request-Method", &Request::preflight_method},
    {"X-Request-Id", &Request::request_id},
    {"traceparent", &Request::traceparent},
};

inline void Request::clear() {
  constexpr std::size_t kKept = 64 << 10;
  method.clear();
  target.clear();
  body.clear();
  for (const auto& header : kHeaders) {
    (this->*header.second).clear();
  }
  match = RouteMatch();
  is_http_1_0 = false;
  has_left.is_set = false;
  if (body.capacity() > kKept) {
    std::string().swap(body);  // assigning an empty one would keep the memory
  }
}

}  // namespace iris::serve
