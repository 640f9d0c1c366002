// Files that people take for rows and that are something else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "rows/row_format.h"

namespace iris {

// The characters that other_kind() looks at, at most.
constexpr std::size_t kLongestMagic = 64;

// What the file with this begin is, and how rows are made of it: "is compressed with gzip; unpack it first: gunzip -c
// FILE". "" where it may hold rows.
std::string other_kind(std::string_view begin, RowFormat format);

}  // namespace iris
