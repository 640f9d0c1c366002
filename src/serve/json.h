// Strict JSON for requests from anyone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace iris::serve {

inline constexpr std::size_t kMaxJsonDepth = 100;

// Past it a model's sums overflow; a float32 goes to 3.4e38.
inline constexpr double kLargestNumber = 1e30;

// A number with a point or an exponent is kept as the float32 nearest to its text; one past kLargestNumber as infinity.
// Throws RequestError 400 for what is no JSON, a name that an object has twice, and what is nested
// deeper than kMaxJsonDepth.
nlohmann::json parse_json(std::string_view text);

// In quotes; bytes outside UTF-8 are replaced.
std::string json_string(std::string_view text);

}  // namespace iris::serve
