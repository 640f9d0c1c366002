// A restricted reader of Python pickles, protocols 0 to 5: what pickle.Unpickler would build, as plain data. The layout
// is that of CPython's Lib/pickletools.py.
#pragma once

#include <string_view>

#include "io/byte_cursor.h"
#include "pickle/document.h"

namespace iris::pickle {

// What a global may be used for. Python's own containers are known here: collections.OrderedDict and Counter, and
// builtins.set, frozenset, bytes, bytearray and complex, and _codecs.encode.
enum class GlobalUse { kRefused, kName, kFunction, kClass };

// Decides on the qualified name alone ("torch._utils._rebuild_tensor_v2"), before anything is built from it.
using GlobalFilter = GlobalUse (*)(std::string_view qualified_name);

// Reads one pickle from the cursor, which then stands after its STOP, adds its values to the document and
// returns the root. A function's result is kept as kCall, a persistent id as kPersistentId, what NEWOBJ makes of a
// class as kObject; none is run.
// The cursor's bytes must outlive the document. Throws FormatError, and then the document must be dropped.
Value read_pickle(ByteCursor& cursor, GlobalFilter filter, Document& document);

}  // namespace iris::pickle
