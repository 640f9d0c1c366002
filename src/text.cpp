#include "text.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

namespace iris::text {
namespace {

constexpr std::size_t kSurrogateLength = 3;

// Whether `text` begins with U+D800 to U+DFFF, encoded as if it were a character.
bool begins_with_surrogate(std::string_view text) {
  return text.size() >= kSurrogateLength && text[0] == '\xED' && static_cast<unsigned char>(text[1]) >= 0xA0 &&
         static_cast<unsigned char>(text[1]) <= 0xBF && (static_cast<unsigned char>(text[2]) & 0xC0) == 0x80;
}

// The length in bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF && follows(1)) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF && follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) &&
      follows(2)) {
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) &&
      follows(2) && follows(3)) {
    return 4;
  }
  return 0;
}

// The UTF-8 character, which is whole.
char32_t code_point_of(std::string_view character) {
  constexpr unsigned char kMaskOfFirst[] = {0, 0x7F, 0x1F, 0x0F, 0x07};  // by the length
  char32_t point = static_cast<unsigned char>(character[0]) & kMaskOfFirst[character.size()];
  for (const char byte : character.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(byte) & 0x3F);
  }
  return point;
}

// Beyond ASCII. Unicode's controls, white space, and what it calls default-ignorable: Cc, White_Space, Zs, Zl, Zp,
// Default_Ignorable_Code_Point, and the annotation marks U+FFF9 to U+FFFB.
bool is_unseen(char32_t point) {
  struct Range {
    char32_t first;
    char32_t last;
  };
  constexpr Range kUnseen[] = {{0x80, 0xA0},     {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},
                               {0x115F, 0x1160}, {0x1680, 0x1680},   {0x17B4, 0x17B5},   {0x180B, 0x180F},
                               {0x2000, 0x200F}, {0x2028, 0x202F},   {0x205F, 0x206F},   {0x3000, 0x3000},
                               {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
                               {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
  const auto* after = std::ranges::upper_bound(kUnseen, point, {}, &Range::first);
  return after != std::begin(kUnseen) && point <= std::prev(after)->last;
}

std::string escaped(char32_t value, char letter, int digits) {
  const char* const digit = letter == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string text = {'\\', letter};
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += digit[(value >> shift) & 15];
  }
  return text;
}

template <typename Json>
std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool has_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at + 1)) {
    if (begins_with_surrogate(text.substr(at))) {
      return true;
    }
  }
  return false;
}

// As dumped, but for the surrogates in texts.
template <typename Json>
std::string json_of(const Json& value) {
  if (value.is_string()) {
    return json_string(value.template get_ref<const std::string&>());
  }
  if (!value.is_structured()) {
    return dumped(value);
  }
  std::string json;
  for (const auto& [key, part] : value.items()) {
    json += (json.empty() ? "" : ",") + (value.is_object() ? json_string(key) + ":" : std::string()) + json_of(part);
  }
  return value.is_object() ? "{" + json + "}" : "[" + json + "]";
}

template <typename Json>
bool any_surrogate(const Json& value) {
  if (value.is_string()) {
    return has_surrogate(value.template get_ref<const std::string&>());
  }
  if (!value.is_structured()) {
    return false;
  }
  for (const auto& [key, part] : value.items()) {
    if ((value.is_object() && has_surrogate(key)) || any_surrogate(part)) {
      return true;
    }
  }
  return false;
}

// How many characters to change, leave out, add, or exchange with their neighbour (Damerau-Levenshtein, each place
// once).
std::size_t slips_between(const std::string& a, const std::string& b) {
  std::vector<std::size_t> two_before;
  std::vector<std::size_t> before(b.size() + 1);
  std::iota(before.begin(), before.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_before[j - 2] + 1);
      }
    }
    two_before = std::move(before);
    before = std::move(row);
  }
  return before.back();
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

bool is_python_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = begins_with_surrogate(text) ? kSurrogateLength : utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string result;
  while (!text.empty()) {
    if (result.size() > most) {
      return result + "…";
    }
    const bool is_surrogate = begins_with_surrogate(text);
    const std::size_t length = is_surrogate ? kSurrogateLength : std::max<std::size_t>(utf8_length(text), 1);
    const std::string_view character = text.substr(0, length);
    const auto first = static_cast<unsigned char>(character[0]);
    if (is_surrogate) {
      result += escaped(code_point_of(character), 'u', 4);
    } else if (length == 1 && (first < 0x20 || first >= 0x7F)) {  // from 0x80 on: outside UTF-8
      result += escaped(first, 'x', 2);
    } else if (const char32_t point = code_point_of(character); is_unseen(point)) {
      result += point > 0xFFFF ? escaped(point, 'U', 8) : escaped(point, 'u', 4);
    } else {
      result += character;
    }
    text.remove_prefix(length);
  }
  return result;
}

std::string quoted(std::string_view text) { return '"' + printable(text) + '"'; }

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    text.append(&word == words.data() ? "" : between).append(word);
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string nearest(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t kLongestWord = 100;
  const std::size_t begin = std::min(word.find_first_not_of('-'), word.size());
  if (begin == word.size() || word.size() > kLongestWord) {
    return "";
  }
  std::string best;
  std::size_t fewest = std::max<std::size_t>(1, (word.size() - begin) / 3) + 1;
  std::vector<std::string> longer;
  for (const std::string& name : names) {
    if (name.size() > kLongestWord) {
      continue;
    }
    const std::size_t slips = slips_between(word, name);
    if (slips < fewest && name.size() > begin + 1) {
      best = name;
      fewest = slips;
    }
    if (name.starts_with(word) && word.size() > begin + 1) {
      longer.push_back(name);
    }
  }
  return best.empty() && longer.size() == 1 ? longer[0] : best;
}

std::string path_name(std::string_view path) { return printable(path, std::string::npos); }

std::string input_name(const std::string& path) { return path == "-" ? "stdin" : path_name(path); }

std::string json(const nlohmann::json& value) { return any_surrogate(value) ? json_of(value) : dumped(value); }
std::string json(const nlohmann::ordered_json& value) { return any_surrogate(value) ? json_of(value) : dumped(value); }

std::string json_string(std::string_view text) {
  if (!has_surrogate(text)) {
    return dumped(nlohmann::json(text));
  }
  std::string json = "\"";
  std::size_t start = 0;  // of what is not yet written
  const auto write_to = [&](std::size_t end) {
    const std::string piece = dumped(nlohmann::json(text.substr(start, end - start)));
    json += std::string_view(piece).substr(1, piece.size() - 2);
  };
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at)) {
    if (!begins_with_surrogate(text.substr(at))) {
      ++at;
      continue;
    }
    write_to(at);
    json += escaped(code_point_of(text.substr(at, kSurrogateLength)), 'u', 4);
    at += kSurrogateLength;
    start = at;
  }
  write_to(text.size());
  return json + "\"";
}

}  // namespace iris::text
