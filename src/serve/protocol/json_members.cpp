#include "serve/protocol/json_members.h"

#include <cmath>

#include "serve/protocol/request_error.h"

namespace iris::serve {

using nlohmann::json;

const json* find_member(const json& object, const char* member) {
  const auto found = object.find(member);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const json& object_at(const json& value, const std::string& place) {
  if (!value.is_object()) {
    refuse(place + ": is not an object");
  }
  return value;
}

const json& parameters_of(const json& object, const std::string& place) {
  static const json kNone = json::object();
  const json* found = find_member(object, "parameters");
  return found == nullptr ? kNone : object_at(*found, place + "parameters");
}

std::string text_at(const json& object, const char* member, const std::string& place) {
  const json* found = find_member(object, member);
  if (found == nullptr || !found->is_string()) {
    refuse(place + member + (found == nullptr ? ": is missing" : ": is not a text"));
  }
  return found->get<std::string>();
}

bool flag_at(const json& parameters, const char* name, bool otherwise, const std::string& place) {
  const json* found = find_member(parameters, name);
  if (found != nullptr && !found->is_boolean()) {
    refuse(place + "parameters." + name + ": is not true or false");
  }
  return found == nullptr ? otherwise : found->get<bool>();
}

std::size_t count_of(const json& value, const std::string& place) {
  // 3.0 is an integer to JSON Schema, and so to some clients.
  const bool is_whole = value.is_number_unsigned() || (value.is_number_float() && value >= 0.0 && value <= 1e6 &&
                                                       std::trunc(value.get<double>()) == value.get<double>());
  if (!is_whole) {
    refuse(place + ": is not a whole number from 0");
  }
  return value.get<std::size_t>();
}

void refuse_shared_memory(const json& parameters, const std::string& place) {
  if (parameters.contains("shared_memory_region")) {
    refuse(place + "parameters.shared_memory_region: this server has no shared memory; send the data");
  }
}

void refuse(const std::string& message) { throw RequestError(400, message); }

}  // namespace iris::serve
