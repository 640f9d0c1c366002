#include "serve/request.h"

#include <cstddef>

namespace iris::serve {

void Request::clear() {
  for (std::string* text : {&method, &target, &body, &authorization, &accept_encoding, &content_encoding, &expect,
                            &inference_header_length, &origin, &preflight_method, &request_id, &traceparent}) {
    text->clear();
  }
  match = RouteMatch();
  is_http_1_0 = false;
  constexpr std::size_t kKept = 64 << 10;
  if (body.capacity() > kKept) {
    body = std::string();
  }
}

}  // namespace iris::serve
