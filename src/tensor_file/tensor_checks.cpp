#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/containers.h"
#include "text.h"

namespace iris {

void check_tensor(const TensorRecord& tensor, std::uint64_t storage_size) {
  if (tensor.shape.size() != tensor.strides.size()) {
    throw FormatError("a tensor has " + std::to_string(tensor.shape.size()) + " sizes and " +
                      std::to_string(tensor.strides.size()) + " strides");
  }
  // Elements of the storage that are needed, and of the tensor; neither may overflow.
  std::int64_t numel = 1;
  std::int64_t last = tensor.offset;
  const bool is_empty = std::ranges::count(tensor.shape, 0) > 0;
  const std::int64_t limit =
      std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(size_of(tensor.dtype));
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const std::int64_t size = std::max<std::int64_t>(tensor.shape[i], 1);
    const std::int64_t stride = is_empty ? 0 : tensor.strides[i];
    require(size <= limit / numel && (stride <= 0 || size - 1 <= (limit - std::min(last, limit)) / stride),
            "a tensor's shape and strides overflow");
    numel *= size;
    last += (size - 1) * stride;
  }
  const std::uint64_t available = storage_size / size_of(tensor.dtype);
  if (!is_empty && static_cast<std::uint64_t>(last) >= available) {  // no element reaches nowhere, as in Python
    throw FormatError("a tensor reaches past its storage of " + std::to_string(storage_size) + " bytes");
  }
}

void attach_data(TensorFile& file, std::uint32_t index, std::span<const std::byte> data, bool is_big_endian) {
  StorageRecord& storage = file.storages.at(index);
  if (data.size() != storage.size) {
    throw FormatError("storage " + text::quoted(storage.key) + " has " + std::to_string(data.size()) +
                      " bytes, its pickle says " + std::to_string(storage.size));
  }
  storage.data = data;
  storage.owner = file.file;
  storage.file = file.file;
  const std::size_t word = storage.word_size;
  if (!is_big_endian || word <= 1) {
    return;
  }
  auto swapped = std::make_shared<std::vector<std::byte>>(data.begin(), data.end());
  for (std::size_t i = 0; i + word <= swapped->size(); i += word) {
    std::ranges::reverse(std::span(*swapped).subspan(i, word));
  }
  storage.data = *swapped;
  storage.owner = std::move(swapped);
  storage.file = nullptr;
  storage.crc = 0;
}

}  // namespace iris
