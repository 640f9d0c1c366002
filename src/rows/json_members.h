// The members of a JSON object as they are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iris {

struct JsonMember {
  std::string name;        // of an array's element its number, from 1
  std::string_view value;  // as it is written, without the blanks around it
};

// The members of an object, or the elements of an array, in order. text: one that a JSON parser has accepted.
std::vector<JsonMember> json_members(std::string_view text);

// A value as text: of a string what it says, of null nothing, of anything else what is written.
std::string json_text(std::string_view value);

}  // namespace iris
