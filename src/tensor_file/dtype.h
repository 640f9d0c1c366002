// torch's element types, without torch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace iris {

// In the order and with the numbers of c10::ScalarType, which LibTorch never changes.
enum class DType : std::int8_t {};

// What torch's Python calls it, without "torch.": "float32".
std::string_view name_of(DType dtype);

// Bytes per element.
std::size_t size_of(DType dtype);

// Bytes per number: half of size_of for complex dtypes.
std::size_t word_size_of(DType dtype);

// The class that names the storage in a pickle, without "torch.": "FloatStorage"; empty for the dtypes that torch.save
// writes as UntypedStorage (torch/storage.py, _new_dtypes).
std::string_view storage_class_of(DType dtype);

// The name in safetensors: "F32"; empty where it has none.
std::string_view safetensors_name_of(DType dtype);

// safetensors counts both numbers of a float4_e2m1fn_x2, of which torch makes one element: in the last dimension.
std::int64_t safetensors_elements_per_element(DType dtype);

bool is_complex(DType dtype);

// nullopt: there is no such dtype. Quantized dtypes, and those of less than a byte, are not among them.
std::optional<DType> dtype_of_number(std::int8_t number);
std::optional<DType> dtype_of_name(std::string_view name);
std::optional<DType> dtype_of_storage_class(std::string_view storage_class);
std::optional<DType> dtype_of_safetensors_name(std::string_view name);

}  // namespace iris
