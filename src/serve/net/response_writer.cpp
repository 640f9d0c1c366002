#include "serve/net/response_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace iris::serve {

std::string_view reason_of(int status) {
  static constexpr std::pair<int, std::string_view> kReasons[] = {
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
      {500, "Internal Server Error"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  const auto* found = std::find_if(std::begin(kReasons), std::end(kReasons),
                                   [&](const auto& reason) { return reason.first == status; });
  return found == std::end(kReasons) ? "Error" : found->second;
}

void write_response(const Response& response, const Request& request, std::string_view date, bool keep_alive,
                    std::string& bytes) {
  if (response.status == 200) {
    bytes += "HTTP/1.1 200 OK\r\n";
  } else {
    bytes.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    bytes.append(reason_of(response.status)).append("\r\n");
  }
  bytes.append("Content-Type: ").append(response.content_type).append("\r\nContent-Length: ");
  bytes.append(std::to_string(response.body.size())).append("\r\nDate: ").append(date).append("\r\nX-Request-Id: ");
  bytes.append(request.request_id).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  }
  if (!keep_alive) {
    bytes += "Connection: close\r\n";
  } else if (request.is_http_1_0) {
    bytes += "Connection: keep-alive\r\n";  // else its clients wait for the end of the connection
  }
  bytes += "\r\n";
  if (request.method != "HEAD") {
    bytes += response.body;
  }
}

}  // namespace iris::serve
