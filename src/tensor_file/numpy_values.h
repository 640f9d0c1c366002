// NumPy's scalars and arrays in a pickle, as numbers and tensors (numpy/_core/multiarray.py, numeric.py, and the
// __reduce__ methods in numpy/_core/src/multiarray).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// Functions and classes of NumPy that are computed. numpy.core was renamed to numpy._core in NumPy 2.
bool is_numpy_name(std::string_view qualified_name);

class NumpyValues {
 public:
  explicit NumpyValues(TensorFile& file);

  // What the object is: a number, text, bytes, or a tensor, whose storage is a copy that the file owns. nullopt, and
  // the object stays inert, for all that has no counterpart: arrays of objects, of texts, of records, dates. Throws
  // FormatError("offset N: …") where the bytes are not what the dtype and shape say.
  std::optional<pickle::Value> value_of(pickle::Value object);

 private:
  struct Type {
    char kind = 0;         // 'f', 'i', 'u', 'c', 'b', 'S', 'U'
    std::size_t size = 0;  // bytes of an element
    bool is_big_endian = false;
    std::optional<DType> dtype;  // of torch; of texts there is none
  };

  [[noreturn]] void fail(const std::string& fact) const;
  std::optional<Type> type_of(pickle::Value dtype) const;
  std::optional<std::string_view> bytes_of(pickle::Value value) const;
  std::optional<pickle::Value> scalar(const Type& type, std::string_view bytes);
  std::optional<pickle::Value> array(pickle::Value dtype, pickle::Value shape, bool is_fortran, pickle::Value data);
  std::shared_ptr<const std::vector<std::byte>> copy_of(pickle::Value data, const Type& type);
  double real_of(std::string_view bytes) const;

  TensorFile& file_;
  pickle::Document& document_;
  std::size_t offset_ = 0;
  std::uint64_t room_;  // for copies
  // By the text and the size of the words that were swapped in it.
  std::map<std::pair<std::uint32_t, std::size_t>, std::shared_ptr<const std::vector<std::byte>>> copies_;
};

}  // namespace iris
