// HTTP/1.1: bytes to requests, and responses to bytes.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "serve/protocol/response.h"
#include "serve/request.h"

namespace iris::serve {

inline constexpr std::size_t kMostHeaderBytes = 16 << 10;  // of a request line and headers

// Parses one request. Refuses what two readers could take for two different requests: Content-Length next to
// Transfer-Encoding, either of them twice, a transfer coding other than chunked, folded header fields, a repeated
// header of those in kHeaders, a missing, repeated or impossible Host, a control character in a chunk's extension. A
// repeated Accept-Encoding is one list. A repeated X-Request-Id or traceparent counts as absent: the first rule of W3C
// Trace Context is to start a new trace.
class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  // Fills in `request`, which must be empty and outlive the parser.
  RequestParser(Request& request, std::size_t max_body);

  // Takes bytes of the request and returns how many it took. `bytes` begin with those that the last call did not take.
  // Stops after the head, and after the request's end. Throws RequestError: 431 for a head of more than
  // kMostHeaderBytes, 413 for a body of more than max_body, else 400.
  std::size_t take(std::string_view bytes);

  bool has_head() const { return is_header_done(); }
  bool is_complete() const { return is_done(); }

 private:
  using Error = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, Error& error) override;
  void on_response_impl(int, Text, int, Error&) override {}
  void on_field_impl(boost::beast::http::field field, Text name, Text value, Error& error) override;
#if BOOST_BEAST_VERSION >= 359
  void on_trailer_field_impl(boost::beast::http::field, Text, Text, Error&) override {}
#endif
  void on_header_impl(Error& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(Text body, Error& error) override;
  void on_chunk_header_impl(std::uint64_t, Text extensions, Error& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Error& error) override;
  void on_finish_impl(Error&) override {}

  Request& request_;
  std::size_t max_body_;
  std::size_t head_bytes_ = 0;     // taken so far
  std::uint32_t seen_ = 0;         // a bit for each of kHeaders
  const char* refusal_ = nullptr;  // why the request is refused
  bool has_host_ = false;
  bool has_length_ = false;
};

// Appends the response to `bytes`: the head, and the body unless it answers a HEAD. `date`: as HTTP writes it.
void write_response(const Response& response, const Request& request, std::string_view date, bool keep_alive,
                    std::string& bytes);

}  // namespace iris::serve
