// Strict JSON for requests from anyone.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace iris::serve {

inline constexpr std::size_t kMaxJsonDepth = 100;

// Past it a model's sums overflow. (A float32 goes to 3.4e38.)
inline constexpr double kLargestNumber = 1e30;

// A number with a point or an exponent becomes the float32 nearest to its text, and one past kLargestNumber infinity.
// Throws RequestError 400 for what is not JSON, a name that an object has twice, and nesting
// deeper than kMaxJsonDepth.
nlohmann::json parse_json(std::string_view text);

// Of a JSON number. Throws RequestError 400 "PLACE: …" for any other value, and for a number past kLargestNumber.
float finite_float(const nlohmann::json& value, const std::string& place);

}  // namespace iris::serve
