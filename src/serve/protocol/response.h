// An answer, before it becomes bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace iris::serve {

inline constexpr const char* kJsonType = "application/json";

struct Response {
  int status = 200;
  std::string body = {};
  const char* content_type = kJsonType;
  std::vector<std::pair<std::string_view, std::string>> headers = {};  // besides those that every response has
  std::size_t rows = 0;                                                // that the request asked for
};

// {"error":message}; bytes outside UTF-8 are replaced. 401, 415 and 503 get the header that belongs to them.
Response error_response(int status, std::string_view message);

}  // namespace iris::serve
