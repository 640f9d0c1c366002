// Content codings: gzip and deflate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace iris::serve {

// The body as it was before its Content-Encoding: none, identity, gzip (also of several members), deflate with or
// without zlib's header. Throws RequestError: 415 for any other coding, 400 for a damaged body, 413 for one of more
// than `most` bytes; no more than these are ever held.
std::string decoded(std::string_view body, std::string_view content_encoding, std::size_t most);

// The coding of a response to such an Accept-Encoding: "gzip", "deflate", or "" where it allows neither by name.
std::string_view accepted_coding(std::string_view accept_encoding);

// `coding` is gzip or deflate (with zlib's header, as HTTP says).
std::string encoded(std::string_view body, std::string_view coding);

}  // namespace iris::serve
