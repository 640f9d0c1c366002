// Which values lead to a tensor.
#pragma once

#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// Looks at every container of the document once. What is added to the document later is not known to it.
class TensorHolders {
 public:
  enum class Way { kPlain, kThroughObjects };

  // kPlain: by the items of lists and tuples and the values of dicts only, as named_tensors goes. kThroughObjects: by
  // states and all parts of objects too; tensors that functions which are not known would make count (why_no_tensor).
  TensorHolders(const TensorFile& file, Way way);

  // Whether the value is a tensor, or holds one.
  bool holds(pickle::Value value) const;

 private:
  std::vector<bool> holds_;  // by container number
};

}  // namespace iris
