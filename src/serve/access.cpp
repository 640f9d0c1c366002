#include "serve/access.h"

#include <string_view>

#include "serve/protocol/inference.h"

namespace iris::serve {
namespace {

// Takes the same time for all texts of one length. `given` is not empty.
bool is_same_secret(std::string_view given, std::string_view secret) {
  bool is_same = given.size() == secret.size();
  for (std::size_t i = 0; i < secret.size(); ++i) {
    is_same &= given[i % given.size()] == secret[i];
  }
  return is_same;
}

// Of "Bearer KEY", with one blank or more between. Empty where it is something else.
std::string_view bearer_key(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!iequals(authorization.substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  const std::size_t begin = authorization.find_first_not_of(' ', kScheme.size());
  return begin == std::string_view::npos ? std::string_view() : authorization.substr(begin);
}

// Needs no key: health, and the page, which asks its reader for the key. The page says nothing of the model.
bool is_open(Route route) {
  switch (route) {
    case Route::kLive:
    case Route::kReady:
    case Route::kPage:
    case Route::kPageScript:
    case Route::kPageStyle:
    case Route::kPageData:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Access::is_preflight(const Request& request) const { return request.method == "OPTIONS" && !cors_origin_.empty(); }

bool Access::is_welcome_origin(const Request& request) const {
  return cors_origin_ == "*" || request.origin == cors_origin_;
}

void Access::check(const Request& request) const {
  if (api_key_.empty() || is_open(request.match.route) || is_preflight(request)) {
    return;
  }
  const std::string_view key = bearer_key(request.authorization);
  if (key.empty() || !is_same_secret(key, api_key_)) {
    throw RequestError(401, "Authorization: has to be Bearer and this server's key");
  }
}

void Access::check_may_manage(const Request& request) const {
  if (api_key_.empty() && !request.is_from_loopback) {
    throw RequestError(403,
                       "models are loaded and unloaded by callers on this machine, or with the key of --api-key-file");
  }
  // Also a page of "the same" origin: by DNS rebinding any page can seem to be one.
  if (api_key_.empty() && !request.origin.empty()) {
    throw RequestError(403, "Origin: a page may load or unload models only with the key of --api-key-file");
  }
}

Response Access::preflight(const Request& request) const {
  if (!is_welcome_origin(request)) {
    return {.body = "{}"};
  }
  return {.body = "{}",
          .headers = {{"Access-Control-Allow-Methods", "GET, POST"},
                      {"Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Content-Encoding, X-Request-Id, traceparent, " +
                           std::string(kInferenceHeaderLength)},
                      {"Access-Control-Max-Age", "600"}}};
}

void Access::add_headers(const Request& request, Response& response) const {
  if (cors_origin_.empty() || request.origin.empty()) {
    return;
  }
  response.headers.emplace_back("Vary", "Origin");
  if (is_welcome_origin(request)) {
    response.headers.emplace_back("Access-Control-Allow-Origin", cors_origin_);
    response.headers.emplace_back("Access-Control-Expose-Headers",
                                  "X-Request-Id, " + std::string(kInferenceHeaderLength));
  }
}

}  // namespace iris::serve
