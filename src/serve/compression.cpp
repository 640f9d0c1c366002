#include "serve/compression.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>

#include "serve/protocol/response.h"
#include "serve/request.h"
#include "text.h"

namespace iris::serve {
namespace {

constexpr int kWindow = 15;
constexpr int kGzip = kWindow + 16;
constexpr std::size_t kPiece = 64 << 10;

// z_stream's counters have 32 bits: kLargestMaxBody keeps every body below that.
void give(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
}

// Ends the stream, as `end` does, when it goes out of scope.
using StreamGuard = std::unique_ptr<z_stream, int (*)(z_stream*)>;

std::string inflated(std::string_view body, int window, std::size_t most, ParseLimits* limits) {
  z_stream stream = {};
  if (inflateInit2(&stream, window) != Z_OK) {
    throw std::bad_alloc();
  }
  const StreamGuard guard(&stream, inflateEnd);
  give(stream, body);
  std::string result;  // its first `size` bytes are unpacked ones
  std::size_t size = 0;
  while (true) {
    if (limits != nullptr) {
      limits->look_now();
    }
    if (size == result.size()) {
      const std::size_t more = std::min(kPiece, most + 1 - size);
      make_room(result, more, limits);
      result.resize(size + more);
    }
    stream.next_out = reinterpret_cast<Bytef*>(result.data() + size);
    stream.avail_out = static_cast<uInt>(result.size() - size);
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    size = result.size() - stream.avail_out;
    if (size > most) {
      throw RequestError(413, "the body is larger than " + std::to_string(most) + " bytes once it is unpacked");
    }
    if (status == Z_STREAM_END && stream.avail_in == 0) {
      result.resize(size);
      return result;
    }
    if (status == Z_STREAM_END && window == kGzip && inflateReset(&stream) == Z_OK) {
      continue;  // gzip's next member
    }
    if (status != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      throw RequestError(400, status == Z_OK || status == Z_BUF_ERROR ? "the packed body is cut short"
                              : status == Z_STREAM_END                ? "there are bytes after the packed body"
                                                                      : "the packed body is damaged");
    }
  }
}

// Some clients send deflate without the header that HTTP asks for. The first two bytes tell.
bool has_zlib_header(std::string_view body) {
  return body.size() > 1 && (body[0] & 0x0F) == Z_DEFLATED &&
         (static_cast<unsigned char>(body[0]) * 256 + static_cast<unsigned char>(body[1])) % 31 == 0;
}

}  // namespace

std::string decoded(std::string_view body, std::string_view content_encoding, std::size_t most, ParseLimits* limits) {
  if (iequals(content_encoding, "gzip") || iequals(content_encoding, "x-gzip")) {
    return inflated(body, kGzip, most, limits);
  }
  if (iequals(content_encoding, "deflate")) {
    return inflated(body, has_zlib_header(body) ? kWindow : -kWindow, most, limits);
  }
  if (content_encoding.empty() || iequals(content_encoding, "identity")) {
    std::string copy;
    make_room(copy, body.size(), limits);
    return copy.assign(body);
  }
  throw RequestError(415, "Content-Encoding: " + text::quoted(content_encoding) +
                              " is not known here; send gzip, deflate or the plain body");
}

std::string_view accepted_coding(std::string_view accept_encoding) {
  std::string_view best;
  while (!accept_encoding.empty()) {  // "gzip;q=1.0, deflate"
    const std::size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    const std::string_view name = text::trimmed(item.substr(0, item.find(';')));
    const std::size_t weight = item.find("q=");
    const bool is_refused = weight != std::string_view::npos &&
                            text::trimmed(item.substr(weight + 2)).find_first_not_of("0.") == std::string_view::npos;
    if (!is_refused && iequals(name, "gzip")) {
      return "gzip";
    }
    if (!is_refused && iequals(name, "deflate")) {
      best = "deflate";
    }
  }
  return best;
}

std::string encoded(std::string_view body, std::string_view coding) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, coding == "gzip" ? kGzip : kWindow, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  const StreamGuard guard(&stream, deflateEnd);
  std::string result(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  give(stream, body);
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  ::deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  return result;
}

}  // namespace iris::serve
