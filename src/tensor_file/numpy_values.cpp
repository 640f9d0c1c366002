#include "tensor_file/numpy_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "io/byte_cursor.h"
#include "pickle/literals.h"
#include "tensor_file/containers.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

constexpr std::size_t kMaxRank = 64;
constexpr std::uint64_t kMinCopies = 1 << 20;
constexpr std::uint64_t kMaxCopiesPerByte = 4;

// The name within numpy, core and _core alike: "multiarray.scalar".
std::string_view in_numpy(std::string_view name) {
  for (const std::string_view prefix : {"numpy.core.", "numpy._core.", "numpy."}) {
    if (name.starts_with(prefix)) {
      return name.substr(prefix.size());
    }
  }
  return {};
}

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"b1", "bool"},    {"i1", "int8"},    {"i2", "int16"},     {"i4", "int32"},      {"i8", "int64"},
    {"u1", "uint8"},   {"u2", "uint16"},  {"u4", "uint32"},    {"u8", "uint64"},     {"f2", "float16"},
    {"f4", "float32"}, {"f8", "float64"}, {"c8", "complex64"}, {"c16", "complex128"}};

double half_to_double(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double size = exponent == 31  ? (fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan(""))
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

template <typename Bits>
Bits bits_of(std::string_view little_endian) {
  return ByteCursor(std::as_bytes(std::span(little_endian))).take<Bits>();
}

// In words of that size.
std::vector<std::byte> swapped(std::vector<std::byte> bytes, std::size_t word) {
  for (std::size_t i = 0; word > 1 && i + word <= bytes.size(); i += word) {
    std::ranges::reverse(std::span(bytes).subspan(i, word));
  }
  return bytes;
}

}  // namespace

bool is_numpy_name(std::string_view name) {
  const std::string_view own = in_numpy(name);
  return own == "multiarray.scalar" || own == "multiarray._reconstruct" || own == "numeric._frombuffer" ||
         own == "dtype" || own == "ndarray";
}

NumpyValues::NumpyValues(TensorFile& file)
    : file_(file),
      document_(file.document),
      room_(kMinCopies + (file.file == nullptr ? 0 : kMaxCopiesPerByte * file.file->bytes().size())) {}

void NumpyValues::fail(const std::string& fact) const { fail_at(offset_, fact); }

// numpy.dtype("f8", False, True), whose state is (3, "<", None, None, None, -1, -1, 0): version, byte order, then what
// only records have.
std::optional<NumpyValues::Type> NumpyValues::type_of(Value dtype) const {
  if (dtype.kind != Kind::kObject || in_numpy(document_.text(document_.object(dtype).name)) != "dtype") {
    return std::nullopt;
  }
  const auto arguments = document_.items(document_.object(dtype).arguments);
  const Value state = document_.state(dtype);
  const auto parts = state.kind == Kind::kTuple ? document_.items(state) : std::span<const Value>();
  if (arguments.empty() || arguments[0].kind != Kind::kString) {
    return std::nullopt;
  }
  const bool is_plain =
      parts.size() < 5 || std::ranges::all_of(parts.subspan(2, 3), [](Value part) { return part.kind == Kind::kNone; });
  const std::string_view order =
      parts.size() > 1 && parts[1].kind == Kind::kString ? document_.text(parts[1]) : std::string_view("|");
  const std::string_view name = document_.text(arguments[0]);
  const std::optional<std::size_t> size =
      pickle::number_of<std::size_t>(name.substr(std::min<std::size_t>(1, name.size())));
  if (!is_plain || !size) {
    return std::nullopt;
  }
  Type type = {.kind = name[0], .size = *size, .is_big_endian = order == ">", .dtype = std::nullopt};
  const auto* known = std::ranges::find(kTypes, name, &std::pair<std::string_view, std::string_view>::first);
  if (known != std::end(kTypes)) {
    type.dtype = dtype_of_name(known->second);
  } else if (type.kind == 'U') {
    type.size = *size > std::numeric_limits<std::size_t>::max() / 4 ? 0 : *size * 4;  // counts characters
  } else if (type.kind != 'S') {
    return std::nullopt;
  }
  return type;
}

// Python 2's bytes are text where they can be.
std::optional<std::string_view> NumpyValues::bytes_of(Value value) const {
  const bool is_bytes = value.kind == Kind::kBytes || value.kind == Kind::kString || value.kind == Kind::kByteArray;
  return is_bytes ? std::optional(document_.text(value)) : std::nullopt;
}

std::optional<Value> NumpyValues::value_of(Value value) {
  const pickle::Object object = document_.object(value);
  const std::string_view function = in_numpy(document_.text(object.name));
  const auto arguments = document_.items(object.arguments);
  offset_ = document_.offset(value);
  if (function == "multiarray.scalar" && arguments.size() == 2) {  // (dtype, bytes)
    const std::optional<Type> type = type_of(arguments[0]);
    const std::optional<std::string_view> bytes = bytes_of(arguments[1]);
    return type && bytes ? scalar(*type, *bytes) : std::nullopt;
  }
  if (function == "multiarray._reconstruct") {  // state: (1, shape, dtype, is_fortran, bytes or a list of objects)
    const Value state = document_.state(value);
    const auto parts = state.kind == Kind::kTuple ? document_.items(state) : std::span<const Value>();
    if (parts.size() != 5) {
      return std::nullopt;
    }
    const Value fortran = parts[3];
    const bool is_fortran =
        fortran.kind == Kind::kBool ? fortran.boolean : fortran.kind == Kind::kInt && fortran.integer != 0;
    return array(parts[2], parts[1], is_fortran, parts[4]);
  }
  if (function == "numeric._frombuffer" && arguments.size() == 4) {  // (bytes, dtype, shape, "C" or "F")
    const bool is_fortran = arguments[3].kind == Kind::kString && document_.text(arguments[3]) == "F";
    return array(arguments[1], arguments[2], is_fortran, arguments[0]);
  }
  return std::nullopt;
}

// Of 2, 4 or 8 bytes, little-endian.
double NumpyValues::real_of(std::string_view bytes) const {
  switch (bytes.size()) {
    case 2:
      return half_to_double(bits_of<std::uint16_t>(bytes));
    case 4:
      return std::bit_cast<float>(bits_of<std::uint32_t>(bytes));
    default:
      return std::bit_cast<double>(bits_of<std::uint64_t>(bytes));
  }
}

std::optional<Value> NumpyValues::scalar(const Type& type, std::string_view given) {
  if (given.size() != type.size) {
    fail("a NumPy scalar of " + std::to_string(type.size) + " bytes has " + std::to_string(given.size()));
  }
  std::string bytes(given);
  const std::size_t word = type.kind == 'c' ? type.size / 2 : type.kind == 'U' ? 4 : type.kind == 'S' ? 1 : type.size;
  if (type.is_big_endian && word != 0) {
    for (std::size_t i = 0; i + word <= bytes.size(); i += word) {
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   bytes.begin() + static_cast<std::ptrdiff_t>(i + word));
    }
  }
  switch (type.kind) {
    case 'b':
      return Value::of_bool(bytes[0] != 0);
    case 'f':
      return Value::of_float(real_of(bytes));
    case 'i':
      return Value::of_int(*pickle::small_integer(bytes));
    case 'u': {
      bytes += '\0';
      const std::optional<std::int64_t> small = pickle::small_integer(bytes);
      return small ? Value::of_int(*small) : document_.add_text(Kind::kBigInt, bytes);
    }
    case 'c': {
      const std::string_view parts = bytes;
      return document_.add_items(
          Kind::kCall,
          {document_.add_global("builtins.complex", false), Value::of_float(real_of(parts.substr(0, word))),
           Value::of_float(real_of(parts.substr(word)))},
          offset_);
    }
    case 'S':
      bytes.erase(bytes.find_last_not_of('\0') + 1);
      return document_.add_text(Kind::kBytes, bytes);
    default: {  // UTF-32
      std::string utf8;
      for (std::size_t i = 0; i < bytes.size(); i += 4) {
        if (!pickle::append_utf8(utf8, bits_of<std::uint32_t>(std::string_view(bytes).substr(i, 4)))) {
          return std::nullopt;
        }
      }
      utf8.erase(utf8.find_last_not_of('\0') + 1);
      return document_.add_text(Kind::kString, utf8);
    }
  }
}

std::shared_ptr<const std::vector<std::byte>> NumpyValues::copy_of(Value data, const Type& type) {
  const std::size_t word = type.is_big_endian ? word_size_of(*type.dtype) : 1;
  auto& copy = copies_[{data.index, word}];
  if (copy == nullptr) {
    const auto bytes = std::as_bytes(std::span(document_.text(data)));
    if (bytes.size() > room_) {
      fail("NumPy arrays of other byte orders copy more than the file's size warrants");
    }
    room_ -= bytes.size();
    copy = std::make_shared<const std::vector<std::byte>>(swapped({bytes.begin(), bytes.end()}, word));
  }
  return copy;
}

std::optional<Value> NumpyValues::array(Value dtype, Value shape, bool is_fortran, Value data) {
  const std::optional<Type> type = type_of(dtype);
  const std::optional<std::string_view> bytes = bytes_of(data);
  if (!type || !type->dtype || !bytes || shape.kind != Kind::kTuple) {
    return std::nullopt;
  }
  TensorRecord tensor;
  tensor.dtype = *type->dtype;
  for (const Value size : document_.items(shape)) {
    if (size.kind != Kind::kInt || size.integer < 0 || tensor.shape.size() == kMaxRank) {
      fail("a NumPy array's shape is not what NumPy writes");
    }
    tensor.shape.push_back(size.integer);
  }
  const std::size_t rank = tensor.shape.size();
  tensor.strides.assign(rank, 1);
  const std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
  std::uint64_t stride = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t dimension = is_fortran ? i : rank - 1 - i;
    tensor.strides[dimension] = static_cast<std::int64_t>(stride);
    const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(tensor.shape[dimension], 1));
    if (stride > limit / size) {
      fail("a NumPy array's shape overflows");
    }
    stride *= size;
  }
  const bool is_empty = std::ranges::count(tensor.shape, 0) > 0;
  if (is_empty ? !bytes->empty() : bytes->size() % type->size != 0 || bytes->size() / type->size != stride) {
    fail("a NumPy array of " + std::to_string(is_empty ? 0 : stride) + " elements has " +
         std::to_string(bytes->size()) + " bytes");
  }
  const auto copy = copy_of(data, *type);
  tensor.storage = static_cast<std::uint32_t>(file_.storages.size());
  with_place("offset " + std::to_string(offset_), [&] { check_tensor(tensor, copy->size()); });
  file_.storages.push_back({.key = kNumpyKey,
                            .location = "cpu",
                            .dtype = type->dtype,
                            .size = copy->size(),
                            .data = *copy,
                            .owner = copy,
                            .crc = 0,
                            .word_size = word_size_of(*type->dtype)});
  return file_.add(std::move(tensor));
}

}  // namespace iris
