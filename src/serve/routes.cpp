#include "serve/routes.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "serve/authority.h"
#include "serve/protocol/response.h"
#include "serve/request.h"

namespace iris::serve {
namespace {

constexpr std::string_view kGet = "GET, HEAD";
constexpr std::string_view kPost = "POST";

struct Pattern {
  Route route;
  std::string_view path;
  std::string_view methods;
};

// Logs and metrics call a route by its first pattern.
constexpr Pattern kPatterns[] = {
    {Route::kPredict, "/predict", kPost},
    {Route::kInfer, "/v2/models/{model}/infer", kPost},
    {Route::kInfer, "/v2/models/{model}/versions/{version}/infer", kPost},
    {Route::kLive, "/v2/health/live", kGet},
    {Route::kReady, "/v2/health/ready", kGet},
    {Route::kPage, "/", kGet},
    {Route::kPageScript, "/page.js", kGet},
    {Route::kPageStyle, "/page.css", kGet},
    {Route::kPageData, "/iris.csv", kGet},
    {Route::kServer, "/v2", kGet},
    {Route::kServer, "/v2/", kGet},
    {Route::kModelStats, "/v2/models/{model}/stats", kGet},
    {Route::kModelStats, "/v2/models/{model}/versions/{version}/stats", kGet},
    {Route::kModelStats, "/v2/models/stats", kGet},  // of all of them
    {Route::kModel, "/v2/models/{model}", kGet},
    {Route::kModel, "/v2/models/{model}/versions/{version}", kGet},
    {Route::kModelReady, "/v2/models/{model}/ready", kGet},
    {Route::kModelReady, "/v2/models/{model}/versions/{version}/ready", kGet},
    {Route::kModelConfig, "/v2/models/{model}/config", kGet},
    {Route::kModelConfig, "/v2/models/{model}/versions/{version}/config", kGet},
    {Route::kRepositoryIndex, "/v2/repository/index", kPost},
    {Route::kRepositoryLoad, "/v2/repository/models/{model}/load", kPost},
    {Route::kRepositoryUnload, "/v2/repository/models/{model}/unload", kPost},
    {Route::kV1Models, "/v1/models", kGet},
    {Route::kV1Predict, "/v1/models/{model}:predict", kPost},
    {Route::kV1Model, "/v1/models/{model}", kGet},
    {Route::kMetrics, "/metrics", kGet},
    {Route::kOpenApi, "/openapi.json", kGet},
    {Route::kUnknown, "(unknown)", ""},  // any other path
};

const Pattern& pattern_of(Route route) {
  return *std::find_if(std::begin(kPatterns), std::end(kPatterns),
                       [&](const Pattern& pattern) { return pattern.route == route; });
}

std::pair<std::string_view, std::string_view> split(std::string_view text, char separator) {
  const std::size_t place = std::min(text.find(separator), text.size());
  return {text.substr(0, place), text.substr(std::min(place + 1, text.size()))};
}

// The target's path: "http://host/a?b" is "/a", "HTTP://host?b" is "/".
std::string_view path_of(std::string_view target) {
  if (!target.starts_with('/')) {
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (iequals(target.substr(0, scheme.size()), scheme)) {
        const std::size_t end = std::min(target.find_first_of("/?#", scheme.size()), target.size());
        if (!is_host_and_port(target.substr(scheme.size(), end - scheme.size()))) {
          refuse("the target's host is not a host and port");
        }
        target = end < target.size() && target[end] == '/' ? target.substr(end) : "/";
        break;
      }
    }
  }
  return target.substr(0, target.find_first_of("?#"));
}

// %41 as A.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text.size() - i < 3 || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) {
      refuse("the path has a % without two hexadecimal digits after it");
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

bool takes(const Pattern& pattern, std::string_view path, RouteMatch& match) {
  std::string_view wanted = pattern.path;
  if (std::count(path.begin(), path.end(), '/') != std::count(wanted.begin(), wanted.end(), '/')) {
    return false;
  }
  while (!wanted.empty()) {
    const auto [part, wanted_rest] = split(wanted, '/');
    const auto [coded, path_rest] = split(path, '/');
    wanted = wanted_rest;
    path = path_rest;
    const std::string text = percent_decoded(coded);
    if (part.starts_with('{')) {
      const auto [name, suffix] = split(part.substr(1), '}');
      if (!text.ends_with(suffix) || text.size() == suffix.size()) {
        return false;
      }
      (name == "model" ? match.model : match.version) = text.substr(0, text.size() - suffix.size());
    } else if (part != text) {
      return false;
    }
  }
  match.route = pattern.route;
  return path.empty();
}

}  // namespace

RouteMatch match_route(std::string_view target) {
  const std::string_view path = path_of(target);
  if (path == kPatterns[0].path) {  // the one that is asked for most
    return {.route = kPatterns[0].route, .model = {}, .version = {}};
  }
  percent_decoded(path);  // refuses a bad one, whatever the route
  for (const Pattern& pattern : kPatterns) {
    RouteMatch match;
    if (takes(pattern, path, match)) {
      return match;
    }
  }
  return {};
}

std::string_view template_of(Route route) { return pattern_of(route).path; }
std::string_view allowed_methods(Route route) { return pattern_of(route).methods; }

}  // namespace iris::serve
