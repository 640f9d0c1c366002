#include "serve/protocol/response.h"

#include "text.h"

namespace iris::serve {

Response error_response(int status, std::string_view message) {
  Response response{.status = status, .body = "{\"error\":" + text::json_string(message) + "}"};
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  } else if (status == 415) {
    response.headers.emplace_back("Accept-Encoding", "gzip, deflate");
  } else if (status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

}  // namespace iris::serve
