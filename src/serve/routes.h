// Which route a request's target means.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace iris::serve {

enum class Route {
  kPredict,
  kInfer,
  kLive,
  kReady,
  kPage,
  kPageScript,
  kPageStyle,
  kPageData,
  kServer,
  kModel,
  kModelReady,
  kModelConfig,
  kModelStats,
  kRepositoryIndex,
  kRepositoryLoad,
  kRepositoryUnload,
  kV1Models,
  kV1Model,
  kV1Predict,
  kMetrics,
  kOpenApi,
  kUnknown,  // must be the last
};
inline constexpr std::size_t kRouteCount = static_cast<std::size_t>(Route::kUnknown) + 1;

struct RouteMatch {
  Route route = Route::kUnknown;
  std::string model;    // decoded; empty where the route names none
  std::string version;  // the same
};

// The route of an origin-form target ("/v2/models/iris?x=1") or an absolute-form one. The query is passed over.
// kUnknown for any other path. Throws RequestError 400 for a badly encoded one.
RouteMatch match_route(std::string_view target);

// "/v2/models/{model}": for logs and metrics.
std::string_view template_of(Route route);

// "GET, HEAD" or "POST"; "" of kUnknown.
std::string_view allowed_methods(Route route);

}  // namespace iris::serve
