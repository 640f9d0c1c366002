// Values as a Python pickle of protocol 2, of the opcodes that torch's weights_only loader reads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "pickle/document.h"

namespace iris::pickle {

// What to write for a kExternal value; asked once for each index. It may add to the document.
using WriteExternal = std::function<Value(std::uint32_t index)>;

// Values that are shared are written once. The same values give the same bytes. Throws FormatError for what that loader
// would not read: frozensets, objects, integers of more than 255 bytes; and for persistent ids that are not in what
// `write_external` gave, as what they name would be missing.
std::string write_pickle(const Document& document, Value root, const WriteExternal& write_external);

}  // namespace iris::pickle
