// Unpacks what zip's method 8 packed (RFC 1951, deflate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace iris {

// The `size` bytes that the packed ones stand for. It allocates no more than they really unpack to. Throws FormatError
// unless the packed bytes are whole, and unpack to exactly that many.
std::string inflate(std::span<const std::byte> packed, std::uint64_t size);

}  // namespace iris
