#include <algorithm>
#include <functional>
#include <future>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/containers.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_writer.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using nlohmann::ordered_json;

// A tensor expanded by strides of 0 is written in full, unless that is more than this many times its storage.
constexpr std::uint64_t kMaxExpansion = 1024;
// The same holds for many tensors on one storage that are larger than this together.
constexpr std::uint64_t kMaxUnshared = 64 << 20;
constexpr std::size_t kBufferSize = 1 << 20;
constexpr std::size_t kHeaderAlignment = 8;

std::uint64_t byte_count(const TensorRecord& tensor) {
  return static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype);
}

std::vector<std::int64_t> safetensors_shape_of(const TensorRecord& tensor) {
  std::vector<std::int64_t> shape = tensor.shape;
  if (!shape.empty()) {
    shape.back() *= safetensors_elements_per_element(tensor.dtype);
  }
  return shape;
}

void check_writable(const NamedTensor& named, const StorageRecord& storage) {
  const std::string dtype(name_of(named.tensor->dtype));
  require(named.is_named, "its key is not a text, and safetensors has no other names; write a .pt");
  require(text::is_utf8(named.name), "its name is not UTF-8");
  if (safetensors_name_of(named.tensor->dtype).empty()) {
    throw FormatError("safetensors has no dtype " + dtype + "; write a .pt");
  }
  const std::int64_t count = safetensors_elements_per_element(named.tensor->dtype);
  require(count == 1 || (!named.tensor->shape.empty() &&
                         named.tensor->shape.back() <= std::numeric_limits<std::int64_t>::max() / count),
          "it is two numbers in one element, and safetensors has no shape for that; write a .pt");
  require(named.name != kSafetensorsMetadata, "safetensors keeps this name for itself; write a .pt");
  if (byte_count(*named.tensor) / kMaxExpansion > storage.size) {
    throw FormatError("its shape " + shape_text(named.tensor->shape) +
                      " is far larger than its data, and safetensors has no strides; write a .pt");
  }
  const bool has_sign_bit = dtype.find("float") != std::string::npos || is_complex(named.tensor->dtype);
  if (named.tensor->is_neg && !has_sign_bit) {
    throw FormatError("a negated " + dtype + " cannot be written");
  }
}

// Writes the tensor's elements in row-major order, with the conj and neg bits carried out.
class ElementWriter {
 public:
  ElementWriter(const TensorRecord& tensor, const StorageRecord& storage, OutputFile& output)
      : tensor_(tensor), data_(storage.data), output_(output), size_(size_of(tensor.dtype)) {}

  void write() {
    if (tensor_.numel() == 0) {  // though other dimensions may be of 2^60
      return;
    }
    const auto offset = static_cast<std::size_t>(tensor_.offset) * size_;
    if (tensor_.is_contiguous() && !tensor_.is_conj && !tensor_.is_neg) {
      output_.write(text_of(data_.subspan(offset, byte_count(tensor_))));
      return;
    }
    write_dimension(0, offset);
    output_.write(buffer_);
  }

 private:
  void write_dimension(std::size_t dimension, std::size_t offset) {
    if (dimension == tensor_.shape.size()) {
      write_element(offset);
      return;
    }
    const std::size_t stride = static_cast<std::size_t>(tensor_.strides[dimension]) * size_;
    for (std::int64_t i = 0; i < tensor_.shape[dimension]; ++i) {
      write_dimension(dimension + 1, offset + static_cast<std::size_t>(i) * stride);
    }
  }

  void write_element(std::size_t offset) {
    const std::size_t start = buffer_.size();
    buffer_.append(text_of(data_.subspan(offset, size_)));
    const std::size_t word = word_size_of(tensor_.dtype);
    for (std::size_t end = word; end <= size_; end += word) {  // the sign is the top bit of each little-endian number
      const bool is_imaginary = word != size_ && end == size_;
      if (tensor_.is_neg != (tensor_.is_conj && is_imaginary)) {
        buffer_[start + end - 1] = static_cast<char>(buffer_[start + end - 1] ^ 0x80);
      }
    }
    if (buffer_.size() >= kBufferSize) {
      output_.write(buffer_);
      buffer_.clear();
    }
  }

  const TensorRecord& tensor_;
  std::span<const std::byte> data_;
  OutputFile& output_;
  std::size_t size_;
  std::string buffer_;
};

// As JSON. Not by ordered_json, which compares each new key with all others.
std::string metadata_of(const TensorFile& file, pickle::Value dict) {
  const auto& document = file.document;
  const pickle::Value* metadata = document.find(document.state(dict), kSafetensorsMetadata);
  std::string json;
  for (const auto& [key, value] : document.entries(metadata == nullptr ? pickle::Value{} : *metadata)) {
    if (key.kind == pickle::Kind::kString && value.kind == pickle::Kind::kString) {
      json += (json.empty() ? "" : ",") + text::json_string(document.text(key)) + ":" +
              text::json_string(document.text(value));
    }
  }
  return "{" + (json.empty() ? "\"format\":\"pt\"" : json) + "}";
}

// Many tensors may share one storage, which safetensors would hold once for each.
void check_total(const TensorFile& file, const std::vector<NamedTensor>& tensors) {
  std::uint64_t held = 0;
  for (const StorageRecord& storage : file.storages) {
    held += storage.size;
  }
  std::uint64_t written = 0;
  for (const NamedTensor& named : tensors) {
    written += std::min(byte_count(*named.tensor), std::numeric_limits<std::uint64_t>::max() - written);
  }
  if (written > kMaxUnshared && written / kMaxExpansion > held) {
    throw FormatError("its tensors share their data, and would be " + std::to_string(written) +
                      " bytes, as safetensors has no sharing; write a .pt");
  }
}

}  // namespace

void write_safetensors(const TensorFile& file, pickle::Value dict, OutputFile& output) {
  // On another core, where there is one, while this one writes.
  auto verified = std::async([&file] { verify_data(file); });
  std::vector<NamedTensor> tensors = named_tensors(file, dict);
  std::set<std::string_view> names;
  for (const NamedTensor& named : tensors) {
    with_place("tensor " + text::quoted(named.name),
               [&] { check_writable(named, file.storages[named.tensor->storage]); });
    if (!names.insert(named.name).second) {
      throw FormatError("two tensors have the name " + text::quoted(named.name));
    }
  }
  const auto element_size = [](const NamedTensor& named) { return size_of(named.tensor->dtype); };
  std::ranges::stable_sort(tensors, std::greater(), element_size);
  check_total(file, tensors);
  std::string header = "{\"" + std::string(kSafetensorsMetadata) + "\":" + metadata_of(file, dict);
  std::uint64_t offset = 0;
  for (const NamedTensor& named : tensors) {
    const std::uint64_t end = offset + byte_count(*named.tensor);
    const ordered_json entry = {{"dtype", safetensors_name_of(named.tensor->dtype)},
                                {"shape", safetensors_shape_of(*named.tensor)},
                                {"data_offsets", {offset, end}}};
    header += "," + text::json_string(named.name) + ":" + text::json(entry);
    offset = end;
  }
  header += '}';
  header.append((kHeaderAlignment - header.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  std::string size;
  put_little_endian<std::uint64_t>(size, header.size());
  output.write(size + header);
  for (const NamedTensor& named : tensors) {
    ElementWriter(*named.tensor, file.storages[named.tensor->storage], output).write();
  }
  verified.get();
}

}  // namespace iris
