// Where a request is sent: "example.org:8080", in its Host or its target.
#pragma once

#include <string_view>

namespace iris::serve {

// Whether it is a host and, perhaps, a port, as RFC 3986 writes them: a name, an IPv4 address or [an IPv6 address]; a
// colon and a number up to 65535. A name with a comma, which could be a list of two, is not one.
bool is_host_and_port(std::string_view authority);

}  // namespace iris::serve
