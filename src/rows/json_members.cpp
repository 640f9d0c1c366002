#include "rows/json_members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace iris {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::size_t after_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    at += text[at] == '\\' ? 1U : 0U;
  }
  return std::min(at + 1, text.size());
}

std::size_t after_value(std::string_view text, std::size_t at) {
  for (std::size_t depth = 0; at < text.size();) {
    const char character = text[at];
    if (depth == 0 && (character == ',' || character == ']' || character == '}')) {
      break;
    }
    depth += character == '[' || character == '{' ? 1U : 0U;
    depth -= character == ']' || character == '}' ? 1U : 0U;
    at = character == '"' ? after_string(text, at) : at + 1;
  }
  return at;
}

std::string string_in(std::string_view quoted) {
  const auto value = nlohmann::json::parse(quoted, nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace

std::vector<JsonMember> json_members(std::string_view text) {
  std::vector<JsonMember> members;
  std::size_t at = text.find_first_not_of(kBlanks);
  if (at == std::string_view::npos) {
    return members;
  }
  const bool is_object = text[at] == '{';
  while (true) {
    at = text.find_first_not_of(kBlanks, at + 1);  // after what opens, or after a comma
    if (at == std::string_view::npos || text[at] == '}' || text[at] == ']') {
      return members;
    }
    JsonMember& member = members.emplace_back();
    member.name = std::to_string(members.size());
    if (is_object) {
      const std::size_t end = after_string(text, at);
      member.name = string_in(text.substr(at, end - at));
      at = std::min(text.find_first_not_of(kBlanks, text.find(':', end) + 1), text.size());
    }
    const std::size_t end = after_value(text, at);
    const std::string_view value = text.substr(at, end - at);
    member.value = value.substr(0, value.find_last_not_of(kBlanks) + 1);
    at = end;
    if (at >= text.size() || text[at] != ',') {
      return members;
    }
  }
}

std::string json_text(std::string_view value) {
  return value.starts_with('"') ? string_in(value) : value == "null" ? "" : std::string(value);
}

}  // namespace iris
