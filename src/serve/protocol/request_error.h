// How a request is refused.
#pragma once

#include <stdexcept>
#include <string>

namespace iris::serve {

// A request that is answered with another status than 200 and {"error":"what and where"}.
class RequestError : public std::runtime_error {
 public:
  RequestError(int its_status, const std::string& message) : std::runtime_error(message), status(its_status) {}
  int status;
};

}  // namespace iris::serve
