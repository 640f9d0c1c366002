// Requests and responses as the routes see them, whatever carried them.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/routes.h"

namespace iris::serve {

inline constexpr const char* kJsonType = "application/json";
inline constexpr std::string_view kInferenceHeaderLength = "Inference-Header-Content-Length";

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
  RouteMatch match;  // of the target, once the head is checked
  bool keep_alive = true;
  bool is_http_1_0 = false;
  bool is_from_loopback = false;

  // For the next request; memory is kept.
  void clear();
};

struct Response {
  int status = 200;
  std::string body = {};
  const char* content_type = kJsonType;
  std::vector<std::pair<std::string_view, std::string>> headers = {};  // beside the usual ones
  std::size_t rows = 0;                                                // that were asked for
};

// A request that is answered with another status than 200 and {"error":"what and where"}.
class RequestError : public std::runtime_error {
 public:
  RequestError(int its_status, const std::string& message) : std::runtime_error(message), status(its_status) {}
  int status;
};

// {"error":message}; bytes outside UTF-8 are replaced. 401, 415 and 503 get the header that belongs to them.
Response error_response(int status, std::string_view message);

// "Not Found"; "Error" for what is not among ours.
std::string_view reason_of(int status);

// %41 as A; nullopt where a % is followed by anything but two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

// The response's bytes; without the body if it answers a HEAD.
void write_response(const Response& response, const Request& request, std::string_view date, bool keep_alive,
                    std::string& bytes);

}  // namespace iris::serve
