// Strict JSON for requests from anyone, and its values, each checked where it is read.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "serve/protocol/parse_limits.h"

namespace iris::serve {

inline constexpr std::size_t kMaxJsonDepth = 100;

// Past it a model's sums overflow. (A float32 goes to 3.4e38.)
inline constexpr double kLargestNumber = 1e30;

// A number with a point or an exponent becomes the float32 nearest to its text, and one past kLargestNumber infinity.
// `wanted`: of the outermost object, the members whose values are kept; the others are checked to be JSON, and null.
// Empty: all are kept. `limits`: of a large text; nullptr for a small one. Throws RequestError 400 for what is not
// JSON, a name that an object has twice (but within a value that is not kept), and nesting deeper than kMaxJsonDepth;
// and what `limits` throws.
nlohmann::json parse_json(std::string_view text, std::span<const std::string_view> wanted = {},
                          ParseLimits* limits = nullptr);

// The rest throw RequestError 400 with the place: "inputs[0].shape: is missing". A `place` that a member's name follows
// ends with a point, or is empty.

// A JSON number, at most kLargestNumber.
float finite_float(const nlohmann::json& value, const std::string& place);

// nullptr where the member is absent or null, which some clients write for it.
const nlohmann::json* find_member(const nlohmann::json& object, const char* member);

// The value itself.
const nlohmann::json& object_at(const nlohmann::json& value, const std::string& place);

// The member "parameters"; {} where there is none.
const nlohmann::json& parameters_of(const nlohmann::json& object, const std::string& place);

std::string text_at(const nlohmann::json& object, const char* member, const std::string& place);

// A member of parameters; `otherwise` where there is none.
bool flag_at(const nlohmann::json& parameters, const char* name, bool otherwise, const std::string& place);

// The value itself, a whole number from 0; also 3.0.
std::size_t count_of(const nlohmann::json& value, const std::string& place);

// Refuses parameters that name a region of shared memory.
void refuse_shared_memory(const nlohmann::json& parameters, const std::string& place);

}  // namespace iris::serve
