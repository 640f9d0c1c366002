// A response as the bytes of HTTP/1.1.
#pragma once

#include <string>
#include <string_view>

#include "serve/protocol/response.h"
#include "serve/request.h"

namespace iris::serve {

// "Not Found"; "Error" for a status that this server does not give.
std::string_view reason_of(int status);

// Appends the response to `bytes`: the head, and the body unless it answers a HEAD. `date`: as HTTP writes it.
void write_response(const Response& response, const Request& request, std::string_view date, bool keep_alive,
                    std::string& bytes);

}  // namespace iris::serve
