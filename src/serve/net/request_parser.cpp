#include "serve/net/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <string>

#include "serve/protocol/request_error.h"

namespace iris::serve {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kMostChunkHeader = 4 << 10;  // with its extensions

std::string* place_of(http::field field, boost::beast::string_view name, Request& request) {
  switch (field) {
    case http::field::authorization:
      return &request.authorization;
    case http::field::accept_encoding:
      return &request.accept_encoding;
    case http::field::content_encoding:
      return &request.content_encoding;
    case http::field::expect:
      return &request.expect;
    case http::field::origin:
      return &request.origin;
    case http::field::access_control_request_method:
      return &request.preflight_method;
    case http::field::unknown: {
      using boost::beast::iequals;
      return iequals(name, "X-Request-Id")                      ? &request.request_id
             : iequals(name, "traceparent")                     ? &request.traceparent
             : iequals(name, "Inference-Header-Content-Length") ? &request.inference_header_length
                                                                : nullptr;
    }
    default:
      return nullptr;
  }
}

}  // namespace

RequestParser::RequestParser(Request& request, std::size_t max_body) : request_(request), max_body_(max_body) {
  header_limit(kMostHeaderBytes);
  body_limit(max_body);
}

std::size_t RequestParser::take(std::string_view bytes) {
  Error error;
  const bool is_in_head = !has_head();
  const std::size_t taken = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  const std::string_view head = is_in_head ? bytes.substr(0, taken) : std::string_view();
  if (head.find("\n ") != std::string_view::npos || head.find("\n\t") != std::string_view::npos) {
    throw RequestError(400, "a header is folded over two lines");
  }
  if (refusal_ != nullptr) {
    throw RequestError(400, refusal_);
  }
  if (error == http::error::body_limit) {
    throw RequestError(413, "the body is larger than " + std::to_string(max_body_) + " bytes");
  }
  if (error == http::error::header_limit ||
      (error == http::error::need_more && !has_head() && bytes.size() - taken > kMostHeaderBytes)) {
    throw RequestError(431,
                       "the request line and headers are larger than " + std::to_string(kMostHeaderBytes) + " bytes");
  }
  if (error == http::error::need_more) {
    if (has_head() && bytes.size() - taken > kMostChunkHeader) {
      throw RequestError(400, "a chunk's header is larger than " + std::to_string(kMostChunkHeader) + " bytes");
    }
    return taken;
  }
  if (error) {
    throw RequestError(400, "not an HTTP/1.1 request: " + error.message());
  }
  return taken;
}

void RequestParser::on_request_impl(http::verb, Text method, Text target, int version, Error&) {
  request_.is_http_1_0 = version != 11;
  request_.method.assign(method.data(), method.size());
  request_.target.assign(target.data(), target.size());
}

void RequestParser::on_field_impl(http::field field, Text name, Text value, Error& error) {
  const auto refuse = [&](const char* fact) {
    refusal_ = fact;
    error = http::error::bad_value;
  };
  if (has_head()) {
    return;  // a trailer
  }
  if (field == http::field::host) {
    if (has_host_) {
      refuse("Host: is there twice");
    }
    if (value.find_first_of(" \t\"#,/<>?@\\^`{|}") != Text::npos) {
      refuse("Host: is not a host");
    }
    has_host_ = true;
  } else if (field == http::field::transfer_encoding) {
    if (request_.is_http_1_0 || !boost::beast::iequals(value, "chunked")) {
      refuse("Transfer-Encoding: has to be chunked, in HTTP/1.1, or absent");
    }
  } else if (field == http::field::content_length) {
    if (has_length_ || value.find(',') != Text::npos) {
      refuse("Content-Length: is there twice");
    }
    has_length_ = true;
  } else if (std::string* place = place_of(field, name, request_)) {
    if (!place->empty() && field != http::field::accept_encoding) {
      refuse("a header that may be there once is there twice");
    } else {
      place->append(place->empty() ? "" : ", ").append(value.data(), value.size());
    }
  }
}

void RequestParser::on_header_impl(Error& error) {
  if (!request_.is_http_1_0 && !has_host_) {
    refusal_ = "Host: is missing";
    error = http::error::bad_value;
  }
  if (request_.is_http_1_0) {
    request_.expect.clear();  // HTTP/1.0 does not have it
  }
  request_.keep_alive = keep_alive();
}

std::size_t RequestParser::on_body_impl(Text body, Error&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text body, Error& error) {
  return on_body_impl(body, error);
}

}  // namespace iris::serve
