#include "serve/protocol/response.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "text.h"

namespace iris::serve {

std::size_t status_place(int status) {
  const auto* const found = std::find_if(kStatuses.begin(), std::prev(kStatuses.end()),
                                         [&](const auto& each) { return each.first == status; });
  return static_cast<std::size_t>(found - kStatuses.begin());
}

void refuse(const std::string& message) { throw RequestError(400, message); }

Response error_response(int status, std::string_view message) {
  Response response{
      .status = status, .body = "{\"error\":" + text::json_string(message) + "}", .error = std::string(message)};
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  } else if (status == 415) {
    response.headers.emplace_back("Accept-Encoding", "gzip, deflate");
  } else if (status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

RequestError request_error(const std::exception& error) {
  if (const auto* const refusal = dynamic_cast<const RequestError*>(&error)) {
    return *refusal;
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
      dynamic_cast<const std::length_error*>(&error) != nullptr) {
    return RequestError(503, "there is not enough memory for this request; try again");
  }
  return RequestError(500, error.what());
}

Response error_response(const std::exception& error) {
  const RequestError refusal = request_error(error);
  return error_response(refusal.status, refusal.what());
}

}  // namespace iris::serve
