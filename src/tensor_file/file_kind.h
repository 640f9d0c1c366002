// What a file is, told by its content.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace iris {

enum class FileKind { kZip, kLegacy, kSafetensors, kOther };

FileKind kind_of_file(std::span<const std::byte> bytes);

// Of a file of kind kOther: what it is instead, and what to do.
std::string describe_foreign_file(std::span<const std::byte> bytes);

}  // namespace iris
