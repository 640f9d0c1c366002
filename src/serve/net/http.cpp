#include "serve/net/http.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <iterator>

#include "serve/authority.h"

namespace iris::serve {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kMostChunkHeader = 4 << 10;  // with its extensions
constexpr const char* kRepeated = " ";             // not plain: Connection takes it for absent

bool is_control(char character) {
  return (character >= 0 && character < ' ' && character != '\t') || character == 0x7F;
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
  // Counted here: Beast's limit holds for what one call sees, and older versions forget what earlier calls took.
  head_bytes_ += head.size();
  const std::size_t waiting = error == http::error::need_more ? bytes.size() - taken : 0;
  if (error == http::error::header_limit ||
      (is_in_head && head_bytes_ + (has_head() ? 0 : waiting) > kMostHeaderBytes)) {
    throw RequestError(431,
                       "the request line and headers are larger than " + std::to_string(kMostHeaderBytes) + " bytes");
  }
  if (head.find("\n ") != std::string_view::npos || head.find("\n\t") != std::string_view::npos) {
    throw RequestError(400, "a header is folded over two lines");
  }
  if (refusal_ != nullptr) {
    throw RequestError(400, refusal_);
  }
  if (error == http::error::body_limit) {
    throw RequestError(413, "the body is larger than " + std::to_string(max_body_) + " bytes");
  }
  if (has_head() && waiting > kMostChunkHeader) {
    throw RequestError(400, "a chunk's header is larger than " + std::to_string(kMostChunkHeader) + " bytes");
  }
  if (error && error != http::error::need_more) {
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
    if (!value.empty() && !is_host_and_port({value.data(), value.size()})) {
      refuse("Host: is not a host and port");
    }
    has_host_ = true;
  } else if (field == http::field::transfer_encoding) {
    if (request_.is_http_1_0 || !iequals({value.data(), value.size()}, "chunked")) {
      refuse("Transfer-Encoding: has to be chunked, in HTTP/1.1, or absent");
    }
  } else if (field == http::field::content_length) {
    if (has_length_ || value.find(',') != Text::npos) {
      refuse("Content-Length: is there twice");
    }
    has_length_ = true;
  } else {
    const auto* const header = std::find_if(std::begin(kHeaders), std::end(kHeaders), [&](const auto& each) {
      return iequals({name.data(), name.size()}, each.first);
    });
    if (header == std::end(kHeaders)) {
      return;
    }
    std::string& text = request_.*header->second;
    const std::uint32_t its_bit = 1U << (header - std::begin(kHeaders));
    const bool is_repeated = (seen_ & its_bit) != 0;
    seen_ |= its_bit;
    if (is_repeated && (header->second == &Request::request_id || header->second == &Request::traceparent)) {
      text = kRepeated;  // nobody can tell which is meant, so both are dropped and a new one is made
    } else if (is_repeated && header->second != &Request::accept_encoding) {
      refuse("a header that may be there once is there twice");
    } else {
      text.append(text.empty() ? "" : ", ").append(value.data(), value.size());
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

// Beast before 1.84 takes any byte in a quoted extension, also a line's end that another reader would act upon.
void RequestParser::on_chunk_header_impl(std::uint64_t, Text extensions, Error& error) {
  if (std::any_of(extensions.begin(), extensions.end(), is_control)) {
    refusal_ = "a chunk's extension has a control character in it";
    error = http::error::bad_chunk_extension;
  }
}

std::size_t RequestParser::on_body_impl(Text body, Error&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text body, Error& error) {
  return on_body_impl(body, error);
}

void write_response(const Response& response, const Request& request, std::string_view date, bool keep_alive,
                    std::string& bytes) {
  if (response.status == 200) {
    bytes += "HTTP/1.1 200 OK\r\n";
  } else {
    bytes.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    bytes.append(kStatuses[status_place(response.status)].second).append("\r\n");
  }
  bytes.append("Content-Type: ").append(response.content_type).append("\r\nContent-Length: ");
  bytes.append(std::to_string(response.body.size())).append("\r\nDate: ").append(date).append("\r\nX-Request-Id: ");
  bytes.append(request.request_id).append("\r\n");
  for (const auto& [name, value] : response.headers) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  }
  if (!keep_alive) {
    bytes += "Connection: close\r\n";
  } else if (request.is_http_1_0) {
    bytes += "Connection: keep-alive\r\n";  // else its clients wait for the end of the connection
  }
  bytes += "\r\n";
  if (request.method != "HEAD") {
    bytes += response.body;
  }
}

}  // namespace iris::serve
