#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/containers.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// The format's own limit.
constexpr std::uint64_t kMaxHeader = 100'000'000;

struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::uint64_t> offsets;  // begin and end, in the data after the header
};

// What the JSON header may be: {NAME: {"dtype": TEXT, "shape": [N…], "data_offsets": [N, N]}, …,
// "__metadata__": {TEXT: TEXT, …}}. A SAX handler sees a key that comes twice, and can refuse
// nesting as it begins.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<HeaderEntry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;

  bool start_object(std::size_t) override {
    if (depth_ > 1 || in_array_) {
      fail("is nested too deep");
    }
    ++depth_;
    if (depth_ == 2) {
      fields_.clear();
      in_metadata_ = key_ == "__metadata__";
      if (!in_metadata_) {
        entries.push_back({key_, "", {}, {}});
      }
    }
    return true;
  }

  bool end_object() override {
    if (depth_ == 2 && !in_metadata_ && fields_ != std::set<std::string>{"data_offsets", "dtype", "shape"}) {
      fail("has a tensor without dtype, shape or data_offsets");
    }
    --depth_;
    return true;
  }

  bool key(std::string& text) override {
    auto& keys = depth_ == 1 ? names_ : fields_;
    if (!keys.insert(text).second) {
      fail("has the key " + text::quoted(text) + " twice");
    }
    (depth_ == 1 ? key_ : field_) = text;
    return true;
  }

  bool string(std::string& text) override {
    if (depth_ != 2 || in_array_ || (!in_metadata_ && field_ != "dtype")) {
      fail_unexpected();
    }
    if (in_metadata_) {
      metadata.emplace_back(field_, text);
    } else {
      entries.back().dtype = text;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_array_ || in_metadata_ || (field_ != "shape" && field_ != "data_offsets")) {
      fail_unexpected();
    }
    in_array_ = true;
    return true;
  }

  bool end_array() override {
    in_array_ = false;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (!in_array_ || value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail_unexpected();
    }
    if (field_ == "shape") {
      entries.back().shape.push_back(static_cast<std::int64_t>(value));
    } else {
      entries.back().offsets.push_back(value);
    }
    return true;
  }

  bool null() override {
    if (depth_ != 1 || key_ != kSafetensorsMetadata) {  // some writers say so that there is none
      fail_unexpected();
    }
    return true;
  }
  bool boolean(bool) override { fail_unexpected(); }
  bool number_integer(std::int64_t) override { fail_unexpected(); }
  bool number_float(double, const std::string&) override { fail_unexpected(); }
  bool binary(nlohmann::json::binary_t&) override { fail_unexpected(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail("is not JSON at its byte " + std::to_string(position));
  }

 private:
  [[noreturn]] static void fail(const std::string& fact) { throw FormatError("safetensors: the header " + fact); }
  [[noreturn]] void fail_unexpected() const {
    fail("is not what the format says at " + text::quoted(key_) + ", " + text::quoted(field_));
  }

  int depth_ = 0;
  bool in_array_ = false;
  bool in_metadata_ = false;
  std::string key_;
  std::string field_;
  std::set<std::string> names_;
  std::set<std::string> fields_;
};

TensorRecord record_of(const HeaderEntry& entry, std::uint64_t data_size) {
  const std::optional<DType> dtype = dtype_of_safetensors_name(entry.dtype);
  if (!dtype) {
    throw FormatError("dtype " + text::quoted(entry.dtype) +
                      (entry.dtype.starts_with("F6_") ? " is of 6 bits, which PyTorch lacks" : " is unknown"));
  }
  require(entry.offsets.size() == 2 && entry.offsets[0] <= entry.offsets[1] && entry.offsets[1] <= data_size,
          "its data_offsets lie outside the file");
  TensorRecord tensor;
  tensor.dtype = *dtype;
  tensor.shape = entry.shape;
  if (const std::int64_t count = safetensors_elements_per_element(*dtype); count != 1) {
    require(!tensor.shape.empty() && tensor.shape.back() % count == 0,
            "its last dimension is not even, and torch has no half of a byte");
    tensor.shape.back() /= count;
  }
  tensor.strides.assign(entry.shape.size(), 1);
  const std::uint64_t size = entry.offsets[1] - entry.offsets[0];
  std::uint64_t numel = 1;
  const bool is_empty = std::ranges::count(tensor.shape, 0) > 0;
  for (std::size_t i = entry.shape.size(); i-- > 0;) {
    const auto dimension = static_cast<std::uint64_t>(std::max<std::int64_t>(tensor.shape[i], 1));
    tensor.strides[i] = static_cast<std::int64_t>(numel);
    if (!is_empty && dimension > size / numel) {
      throw FormatError("its shape needs more than its " + std::to_string(size) + " bytes");
    }
    numel *= is_empty ? 1 : dimension;
  }
  if ((is_empty ? 0 : numel * size_of(*dtype)) != size) {
    throw FormatError("its shape needs another number of bytes than its " + std::to_string(size));
  }
  check_tensor(tensor, size);
  return tensor;
}

// The tensors' data must lie end to end, from the first byte after the header to the file's last.
void check_coverage(const std::vector<HeaderEntry>& entries, std::uint64_t data_size) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const HeaderEntry& entry : entries) {
    ranges.emplace_back(entry.offsets[0], entry.offsets[1]);
  }
  std::ranges::sort(ranges);
  std::uint64_t end = 0;
  for (const auto& [from, to] : ranges) {
    if (from != end) {
      throw FormatError(std::string("safetensors: the tensors' data ") + (from < end ? "overlap" : "leave a hole") +
                        " at data offset " + std::to_string(from));
    }
    end = to;
  }
  if (end != data_size) {
    throw FormatError("safetensors: " + std::to_string(data_size - end) + " bytes belong to no tensor");
  }
}

}  // namespace

TensorFile read_safetensors_container(std::shared_ptr<const FileBytes> bytes) {
  TensorFile file;
  file.container = Container::kSafetensors;
  file.file = std::move(bytes);
  ByteCursor cursor(file.file->bytes());
  const auto header_size = cursor.take<std::uint64_t>();
  if (header_size > kMaxHeader) {
    throw FormatError("safetensors: the header claims " + std::to_string(header_size) + " bytes; at most " +
                      std::to_string(kMaxHeader) + " are read");
  }
  if (header_size > cursor.remaining()) {
    throw FormatError("safetensors: the header of " + std::to_string(header_size) +
                      " bytes is longer than the file; it is truncated");
  }
  const std::string_view header = cursor.take_text(header_size);
  HeaderReader reader;
  nlohmann::json::sax_parse(header.begin(), header.end(), &reader);

  const auto data = cursor.take_bytes(cursor.remaining());
  pickle::Document& document = file.document;
  std::vector<Value> items;
  for (const HeaderEntry& entry : reader.entries) {
    TensorRecord tensor =
        with_place("safetensors: tensor " + text::quoted(entry.name), [&] { return record_of(entry, data.size()); });
    tensor.storage = static_cast<std::uint32_t>(file.storages.size());
    const std::uint64_t size = entry.offsets[1] - entry.offsets[0];
    file.storages.push_back(
        {entry.name, "cpu", tensor.dtype, size, data.subspan(entry.offsets[0], size), file.file, 0, 0, file.file});
    items.insert(items.end(), {document.add_text(Kind::kString, entry.name), file.add(std::move(tensor))});
  }
  check_coverage(reader.entries, data.size());
  file.root = document.add_items(Kind::kOrderedDict, std::move(items), 0);
  if (!reader.metadata.empty()) {
    std::vector<Value> pairs;
    for (const auto& [name, text] : reader.metadata) {
      pairs.insert(pairs.end(), {document.add_text(Kind::kString, name), document.add_text(Kind::kString, text)});
    }
    const Value metadata = document.add_items(Kind::kDict, std::move(pairs), 0);
    const Value name = document.add_text(Kind::kString, kSafetensorsMetadata);
    document.set_state(file.root, document.add_items(Kind::kDict, {name, metadata}, 0));
  }
  return file;
}

}  // namespace iris
