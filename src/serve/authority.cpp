#include "serve/authority.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace iris::serve {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_name(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '%') {
      if (name.size() - i < 3 || !is_hex(name[i + 1]) || !is_hex(name[i + 2])) {
        return false;
      }
    } else if (!is_digit(c) && !is_letter(c) && std::string_view("-._~!$&'()*+;=").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !name.empty();
}

// "", ":" and ":8080".
bool is_port(std::string_view text) {
  if (text.size() <= 1) {
    return text.empty() || text == ":";
  }
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + 1, end, port);
  return text[0] == ':' && parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

bool is_host_and_port(std::string_view authority) {
  if (!authority.starts_with('[')) {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    return is_name(authority.substr(0, colon)) && is_port(authority.substr(colon));
  }
  const std::size_t close = authority.find(']');
  if (close == std::string_view::npos) {
    return false;
  }
  const std::string_view address = authority.substr(1, close - 1);
  return address.find(':') != std::string_view::npos && is_port(authority.substr(close + 1)) &&
         std::all_of(address.begin(), address.end(), [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

}  // namespace iris::serve
