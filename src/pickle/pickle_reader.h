// An inert reader of Python pickles, protocols 0 to 5: what pickle.Unpickler would build, as plain data. The layout is
// that of CPython's Lib/pickletools.py.
#pragma once

#include <string_view>

#include "io/byte_cursor.h"
#include "pickle/document.h"

namespace iris::pickle {

// What a global of the file is. Python's own containers are known here: collections.OrderedDict and Counter, and
// builtins.set, frozenset, bytes, bytearray and complex, and _codecs.encode.
enum class GlobalUse {
  kForeign,   // a name and nothing more: what it makes is an inert object. Counted in Document::mentions
  kName,      // the same, but not counted: the caller knows what it means
  kFunction,  // what it makes is a kCall, for the caller to compute
};

// Decides on the qualified name alone ("torch._utils._rebuild_tensor_v2").
using GlobalFilter = GlobalUse (*)(std::string_view qualified_name);

// Reads one pickle from the cursor, which then stands after its STOP, adds its values to the document and
// returns the root. Nothing is imported, looked up or called:
// - a global is a value, the name itself;
// - REDUCE, NEWOBJ, NEWOBJ_EX, INST and OBJ (also through copyreg) make an inert object of a name or of another inert
//   object; BUILD gives it its state, SETITEM(S), APPEND(S) and ADDITEMS its pairs and items;
// - a persistent id is kPersistentId, but ("module", class, file, source) of torch.save before 1.6 is the class.
// A name that stands in files to attack whoever unpickles them is an error (is_attack_name).
// The cursor's bytes must outlive the document. Throws FormatError, and then the document must be dropped.
Value read_pickle(ByteCursor& cursor, GlobalFilter filter, Document& document);

}  // namespace iris::pickle
