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

}  // namespace

bool Access::is_preflight(const Request& request) const { return request.method == "OPTIONS" && !cors_origin_.empty(); }

bool Access::is_welcome_origin(const Request& request) const {
  return cors_origin_ == "*" || request.origin == cors_origin_;
}

void Access::check(const Request& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.authorization;
  const Route route = request.match.route;
  if (api_key_.empty() || route == Route::kLive || route == Route::kReady || is_preflight(request)) {
    return;
  }
  if (given.size() <= kScheme.size() || !iequals(given.substr(0, kScheme.size()), kScheme) ||
      !is_same_secret(given.substr(kScheme.size()), api_key_)) {
    throw RequestError(401, "Authorization: has to be Bearer and this server's key");
  }
}

void Access::check_may_manage(const Request& request) const {
  if (api_key_.empty() && !request.is_from_loopback) {
    throw RequestError(403,
                       "models are loaded and unloaded by callers on this machine, or with the key of --api-key-file");
  }
  if (api_key_.empty() && !request.origin.empty() && !is_welcome_origin(request)) {
    throw RequestError(
        403, "Origin: a page of another origin may not load or unload models; see --cors-origin and --api-key-file");
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
