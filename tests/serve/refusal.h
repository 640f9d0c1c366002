// How a call is refused, as text to compare.
#pragma once

#include <string>

#include "serve/protocol/response.h"

namespace iris::serve {

// "400 message" of the RequestError that `call` throws.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const RequestError& error) {
    return std::to_string(error.status) + " " + error.what();
  }
  return "nothing was refused";
}

}  // namespace iris::serve
