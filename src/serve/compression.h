// Content codings: gzip and deflate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "serve/protocol/parse_limits.h"

namespace iris::serve {

// The unpacked body. `content_encoding`: "", identity, gzip (also of several members), or deflate (with or without
// zlib's header). Throws RequestError: 415 for any other coding, 400 for a damaged body, 413 for a packed body of more
// than `most` bytes once it is unpacked. It never holds more than one byte past these. `limits`: nullptr where the body
// and `most` are small; else what it throws.
std::string decoded(std::string_view body, std::string_view content_encoding, std::size_t most,
                    ParseLimits* limits = nullptr);

// The coding for a response to this Accept-Encoding: "gzip", "deflate", or "" where it names neither.
std::string_view accepted_coding(std::string_view accept_encoding);

// `coding` is gzip or deflate (with zlib's header, as HTTP says).
std::string encoded(std::string_view body, std::string_view coding);

}  // namespace iris::serve
