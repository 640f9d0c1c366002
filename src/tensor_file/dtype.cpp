#include "tensor_file/dtype.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace iris {
namespace {

struct Row {
  std::int8_t number;  // c10::ScalarType
  std::uint8_t size;
  std::string_view name;
  std::string_view storage_class;
  std::string_view safetensors;
};

constexpr std::array kRows = {
    Row{0, 1, "uint8", "ByteStorage", "U8"},
    Row{1, 1, "int8", "CharStorage", "I8"},
    Row{2, 2, "int16", "ShortStorage", "I16"},
    Row{3, 4, "int32", "IntStorage", "I32"},
    Row{4, 8, "int64", "LongStorage", "I64"},
    Row{5, 2, "float16", "HalfStorage", "F16"},
    Row{6, 4, "float32", "FloatStorage", "F32"},
    Row{7, 8, "float64", "DoubleStorage", "F64"},
    Row{8, 4, "complex32", "", ""},
    Row{9, 8, "complex64", "ComplexFloatStorage", "C64"},
    Row{10, 16, "complex128", "ComplexDoubleStorage", ""},
    Row{11, 1, "bool", "BoolStorage", "BOOL"},
    Row{15, 2, "bfloat16", "BFloat16Storage", "BF16"},
    Row{18, 1, "bits1x8", "", ""},
    Row{19, 1, "bits2x4", "", ""},
    Row{20, 1, "bits4x2", "", ""},
    Row{21, 1, "bits8", "", ""},
    Row{22, 2, "bits16", "", ""},
    Row{23, 1, "float8_e5m2", "", "F8_E5M2"},
    Row{24, 1, "float8_e4m3fn", "", "F8_E4M3"},
    Row{25, 1, "float8_e5m2fnuz", "", "F8_E5M2FNUZ"},
    Row{26, 1, "float8_e4m3fnuz", "", "F8_E4M3FNUZ"},
    Row{27, 2, "uint16", "", "U16"},
    Row{28, 4, "uint32", "", "U32"},
    Row{29, 8, "uint64", "", "U64"},
    Row{44, 1, "float8_e8m0fnu", "", "F8_E8M0"},
    Row{45, 1, "float4_e2m1fn_x2", "", "F4"},
};

const Row& row_of(DType dtype) {
  const auto* row = std::ranges::find(kRows, static_cast<std::int8_t>(dtype), &Row::number);
  return row != kRows.end() ? *row : throw std::logic_error("no such dtype");
}

std::optional<DType> find(std::string_view Row::*column, std::string_view value) {
  const auto* row = value.empty() ? kRows.end() : std::ranges::find(kRows, value, column);
  return row != kRows.end() ? std::optional(static_cast<DType>(row->number)) : std::nullopt;
}

}  // namespace

std::string_view name_of(DType dtype) { return row_of(dtype).name; }
std::size_t size_of(DType dtype) { return row_of(dtype).size; }
std::size_t word_size_of(DType dtype) { return is_complex(dtype) ? size_of(dtype) / 2 : size_of(dtype); }
std::string_view storage_class_of(DType dtype) { return row_of(dtype).storage_class; }
std::string_view safetensors_name_of(DType dtype) { return row_of(dtype).safetensors; }
bool is_complex(DType dtype) { return name_of(dtype).starts_with("complex"); }

std::int64_t safetensors_elements_per_element(DType dtype) { return name_of(dtype).ends_with("_x2") ? 2 : 1; }

std::optional<DType> dtype_of_number(std::int8_t number) {
  const bool exists = std::ranges::find(kRows, number, &Row::number) != kRows.end();
  return exists ? std::optional(static_cast<DType>(number)) : std::nullopt;
}

std::optional<DType> dtype_of_name(std::string_view name) { return find(&Row::name, name); }
std::optional<DType> dtype_of_storage_class(std::string_view name) { return find(&Row::storage_class, name); }
std::optional<DType> dtype_of_safetensors_name(std::string_view name) { return find(&Row::safetensors, name); }

}  // namespace iris
