// Paths that name a descriptor of this process: "-", /dev/stdout, /dev/fd/N, /proc/self/fd/N, and links to them.
#pragma once

#include <optional>
#include <string>

namespace iris {

// nullopt where the path names no descriptor. "-" is told by the caller: it is standard input or output.
std::optional<int> descriptor_of(const std::string& path);

// "-", or a path that names the descriptor.
bool is_standard_input(const std::string& path);
bool is_standard_output(const std::string& path);

}  // namespace iris
