// What of a file torch.load(weights_only=True) reads.
#pragma once

#include <string>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// A value that is not written, or not as what it was.
struct Change {
  std::string place;     // its path from the root, in dots; empty: the root
  std::string what;      // "argparse.Namespace", "a frozenset"
  bool is_kept = false;  // as a plain dict: an object that holds tensors as a dict does
};

struct PlainValue {
  pickle::Value value;
  std::vector<Change> changes;   // at most kMostChanges
  std::size_t more_changes = 0;  // that are not in the list
};

inline constexpr std::size_t kMostChanges = 1000;

// The value without what that loader refuses: inert objects, names of classes that it does not know, frozensets, bare
// storages, integers of more than 255 bytes. An entry of a dict goes, and an item of a set; in a list or a tuple None
// takes its place. An object that holds tensors as a dict does becomes a dict, and so does `value` itself if it is an
// object. Changes file.document. Throws FormatError, without a path, where a tensor would have to be made by a function
// that is not known (why_no_tensor).
PlainValue plain_values_of(TensorFile& file, pickle::Value value);

}  // namespace iris
