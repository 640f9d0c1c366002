// An answer, before it becomes bytes, and how a request is refused.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace iris::serve {

// The statuses that this server gives, with their reasons. The last stands for any other.
inline constexpr std::array<std::pair<int, std::string_view>, 16> kStatuses = {{
    {200, "OK"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},  // nobody reads it; for the log and the metrics
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {0, "Error"},
}};

// The status's place in kStatuses.
std::size_t status_place(int status);

struct Response {
  int status = 200;
  std::string body = {};
  const char* content_type = "application/json";
  std::vector<std::pair<std::string_view, std::string>> headers = {};  // besides those that every response has
  std::size_t rows = 0;                                                // that the request asked for
  std::string error = {};                                              // of an error: its message, for the log
};

// A request that is answered with another status than 200 and {"error":"what and where"}.
class RequestError : public std::runtime_error {
 public:
  RequestError(int its_status, const std::string& message) : std::runtime_error(message), status(its_status) {}
  int status;
};

// Throws RequestError 400.
[[noreturn]] void refuse(const std::string& message);

// {"error":message}; bytes outside UTF-8 are replaced. 401, 415 and 503 get the header that belongs to them.
Response error_response(int status, std::string_view message);

// The error as a refusal: a RequestError as it is, 503 where memory was missing, 500 for any other.
RequestError request_error(const std::exception& error);

Response error_response(const std::exception& error);

}  // namespace iris::serve
