// Options that are numbers, read as Python's int() and float() read decimal ones. CLI11 itself reads "010" as octal,
// turns a number that is too large into the largest one, and rounds a double twice.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace iris {

// For Option::transform. Takes only digits, and only numbers from `least` to `most`.
CLI::Validator whole_number(std::int64_t least, std::int64_t most);

// A finite number for which is_wanted is true. wanted: says so in the message: "a finite number above 0". Parsing
// another number throws UsageError. `number` must outlive the command.
CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<double>& number,
                        const std::string& description, const std::function<bool(double)>& is_wanted,
                        const char* wanted);

}  // namespace iris
