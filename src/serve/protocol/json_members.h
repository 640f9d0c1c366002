// The members of a request's JSON objects, each checked where it is read. All throw RequestError 400 with the member's
// place: "inputs[0].shape: is missing". A `place` that a member's name follows ends with a point, or is empty.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace iris::serve {

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

[[noreturn]] void refuse(const std::string& message);

}  // namespace iris::serve
