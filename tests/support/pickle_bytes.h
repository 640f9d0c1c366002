// Pickles spelled out opcode by opcode, good ones and bad ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iris::test {

// The low `size` bytes of a number, little-endian.
inline std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) {
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  return bytes;
}

inline std::string repeated(std::string_view bytes, std::size_t count) {
  std::string all;
  all.reserve(bytes.size() * count);
  for (std::size_t i = 0; i < count; ++i) {
    all += bytes;
  }
  return all;
}

inline std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) {
    all += part;
  }
  return all;
}

// Each pushes one value.
inline const std::string kPushNone = "N";
inline const std::string kPushTrue = "\x88";
inline const std::string kPushFalse = "\x89";

inline std::string push_int(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline std::string push_text(std::string_view text) { return "X" + little_endian(text.size(), 4) + std::string(text); }
inline std::string push_tuple(const std::vector<std::string>& items) { return "(" + joined(items) + "t"; }
inline std::string push_list(const std::vector<std::string>& items) { return "](" + joined(items) + "e"; }
inline std::string push_dict(const std::vector<std::string>& keys_and_values) {
  return "}(" + joined(keys_and_values) + "u";
}
inline std::string push_global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string push_call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + push_tuple(arguments) + "R";
}
inline std::string push_ordered_dict(const std::vector<std::string>& keys_and_values) {
  return push_call(push_global("collections", "OrderedDict"), {}) + "(" + joined(keys_and_values) + "u";
}
inline std::string push_ints(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) {
    items.push_back(push_int(value));
  }
  return push_tuple(items);
}

// A whole pickle of protocol 2.
inline std::string pickle_of(const std::string& root) { return "\x80\x02" + root + "."; }

// torch's persistent id of a storage: numel elements, in the container under that key.
inline std::string push_storage(std::string_view type, std::string_view key, std::int64_t numel) {
  return push_tuple(
             {push_text("storage"), push_global("torch", type), push_text(key), push_text("cpu"), push_int(numel)}) +
         "Q";
}

struct TensorParts {
  std::string storage = push_storage("FloatStorage", "0", 6);
  std::string offset = push_int(0);
  std::string shape = push_ints({2, 3});
  std::string strides = push_ints({3, 1});
  std::string requires_grad = kPushFalse;
  std::string hooks = push_ordered_dict({});
};

// A call of torch._utils._rebuild_tensor_v2; by default float32 (2, 3) on storage "0" of 24 bytes.
inline std::string push_tensor(const TensorParts& parts = {}) {
  return push_call(push_global("torch._utils", "_rebuild_tensor_v2"),
                   {parts.storage, parts.offset, parts.shape, parts.strides, parts.requires_grad, parts.hooks});
}

}  // namespace iris::test
