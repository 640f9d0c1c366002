// Numbers as options, read as Python's int() and float() read decimal ones. CLI11 itself takes "010" for octal, cuts
// what is too large down to the largest, and rounds a double twice.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace iris {

// For Option::transform: digits only, from `least` to `most`.
CLI::Validator whole_number(std::int64_t least, std::int64_t most);

// wanted: what is_wanted takes, for the message: "a finite number above 0". A wrong one is a UsageError.
CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<double>& number,
                        const std::string& description, const std::function<bool(double)>& is_wanted,
                        const char* wanted);

}  // namespace iris
