// float32 to text and back, exactly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace iris {

// What strtof gives in the C locale for a decimal number ("5.1", "-1e-3", "+.5"), blanks around it allowed; nullopt for
// anything else (hexadecimal too). Too large a number, "inf" and "nan" give what is not finite.
std::optional<float> parse_float(std::string_view text);

// The fewest digits that come back as the same float: "5.1".
std::string shortest_text(float value);

// With that many decimals: fixed_text(0.98712f, 6) is "0.987120".
std::string fixed_text(double value, int decimals);

}  // namespace iris
