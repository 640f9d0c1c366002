// Text for people and for JSON: what every floor may use.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace iris::text {

// Strictly: no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text);

// The same, but surrogates may stand in it, as Python keeps what is no text (surrogateescape) and pickles it
// (surrogatepass).
bool is_python_text(std::string_view text);

// For a terminal, so that all of it is seen: ASCII's control characters and bytes outside UTF-8 become \xNN; other
// characters that show nothing of their own (surrogates, controls, blanks but the usual one, marks of direction,
// joiners, variation selectors, tags) become \uNNNN or \UNNNNNNNN. What is printable already stays as it is. A text
// longer than `most` bytes is cut there.
std::string printable(std::string_view text, std::size_t most = 200);

// The same, in double quotes.
std::string quoted(std::string_view text);

// The words with `between` between them.
std::string joined(const std::vector<std::string>& words, std::string_view between = ", ");

// Without the blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

// Of the names, the one with the fewest slips of typing, or the only one that begins with the word; "" where none is
// near. Dashes at the word's beginning are no part of what is compared.
std::string nearest(const std::string& word, const std::vector<std::string>& names);

// What messages call a path: all of it, printable.
std::string path_name(std::string_view path);

// What messages call an input: "stdin" for "-", else its path_name().
std::string input_name(const std::string& path);

// Compact JSON. Surrogates are written as \uNNNN; bytes outside UTF-8 are replaced by U+FFFD.
std::string json(const nlohmann::json& value);
std::string json(const nlohmann::ordered_json& value);
// The text as a JSON string, in quotes.
std::string json_string(std::string_view text);

}  // namespace iris::text
