// Arbitrary bytes as a model file. Of whatever is read, every tensor's bytes are touched, and it is written as a zip
// and as safetensors; both must then be read, and give the same tensors.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "error.h"
#include "fuzz/same_values.h"
#include "fuzz/zip_mutation.h"
#include "io/inflate.h"
#include "io/output_file.h"
#include "tensor_file/contents.h"
#include "tensor_file/file_kind.h"
#include "tensor_file/plain_values.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_file.h"
#include "tensor_file/tensor_writer.h"

namespace {

using namespace iris;

// Elements of one tensor that are looked at. A tensor can have 2^60 of them, by strides of 0.
constexpr std::uint64_t kMaxElements = 1 << 14;
constexpr std::size_t kMaxTensors = 1 << 10;
// What a small file can unfold to takes its time; files of that kind are in tests/hostile.
constexpr std::size_t kMaxNames = 1 << 13;

constexpr std::uint64_t kMaxInflated = 1 << 16;
volatile unsigned sink;

// In memory where there is such a file system; gone at exit.
class Scratch {
 public:
  Scratch() {
    std::string pattern =
        (std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/iris-fuzz-XXXXXX");
    fuzz::require(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path() const { return folder_ + "/out"; }

 private:
  std::string folder_;
};

Scratch scratch;

// The first elements in row-major order, each as the bytes that it has in its storage.
std::string elements_of(const TensorFile& file, const TensorRecord& tensor) {
  const auto data = file.storages[tensor.storage].data;
  const std::size_t size = size_of(tensor.dtype);
  const auto count = std::min(static_cast<std::uint64_t>(tensor.numel()), kMaxElements);
  std::string elements;
  std::vector<std::int64_t> at(tensor.shape.size());
  for (std::uint64_t n = 0; n < count; ++n) {
    std::int64_t place = tensor.offset;
    for (std::size_t i = 0; i < at.size(); ++i) {
      place += at[i] * tensor.strides[i];
    }
    // Not span::subspan, which checks nothing: the sanitizer shall see a wrong place.
    elements.append(reinterpret_cast<const char*>(data.data()) + static_cast<std::size_t>(place) * size, size);
    for (std::size_t i = at.size(); i-- > 0 && ++at[i] == tensor.shape[i];) {
      at[i] = 0;
    }
  }
  return elements;
}

void touch(const TensorFile& file) {
  sink = fuzz::Walk(file.document)(file.root);
  for (const StorageRecord& storage : file.storages) {
    fuzz::require(storage.data.size() == storage.size);
    for (const std::byte byte : storage.data) {
      sink = sink + std::to_integer<unsigned>(byte);
    }
  }
  for (std::size_t i = 0; i < std::min(file.tensors.size(), kMaxTensors); ++i) {
    sink = sink + static_cast<unsigned>(elements_of(file, file.tensors[i]).size());
  }
}

void require_same(const TensorFile& a, const TensorRecord& before, const TensorFile& b, const TensorRecord& after) {
  fuzz::require(before.dtype == after.dtype && before.shape == after.shape && before.strides == after.strides &&
                before.offset == after.offset && before.requires_grad == after.requires_grad &&
                before.is_parameter == after.is_parameter && before.is_conj == after.is_conj &&
                before.is_neg == after.is_neg);
  const auto data = a.storages[before.storage].data;
  const auto data_again = b.storages[after.storage].data;
  fuzz::require(std::equal(data.begin(), data.end(), data_again.begin(), data_again.end()));
}

// Written as convert writes it, with the file's CRCs checked; false where it is refused.
template <typename Write>
bool was_written(const Write& write) {
  try {
    OutputFile output(scratch.path());
    write(output);
    output.commit();
    return true;
  } catch (const FormatError&) {
    return false;
  }
}

void check_zip(TensorFile& file, pickle::Value value) {
  if (!was_written([&](OutputFile& output) { write_zip(file, value, output); })) {
    return;
  }
  const TensorFile again = read_tensor_file(scratch.path());
  const auto before = named_tensors(file, value);
  const auto after = named_tensors(again, again.root);
  fuzz::require(before.size() == after.size());
  std::map<std::uint32_t, std::uint32_t> storages;
  for (std::size_t i = 0; i < std::min(before.size(), kMaxTensors); ++i) {
    fuzz::require(before[i].name == after[i].name);
    require_same(file, *before[i].tensor, again, *after[i].tensor);
    const std::uint32_t storage = after[i].tensor->storage;
    fuzz::require(storages.emplace(before[i].tensor->storage, storage).first->second == storage);
  }
}

void check_safetensors(const TensorFile& file, pickle::Value value) {
  std::uint64_t bytes = 0;
  const auto before = named_tensors(file, value);
  for (const NamedTensor& named : before) {
    bytes += std::min<std::uint64_t>(static_cast<std::uint64_t>(named.tensor->numel()), 1 << 30) *
             size_of(named.tensor->dtype);
  }
  if (bytes > 64 << 20 || !was_written([&](OutputFile& output) { write_safetensors(file, value, output); })) {
    return;
  }
  const TensorFile again = read_tensor_file(scratch.path());
  std::map<std::string, const TensorRecord*> by_name;
  for (const NamedTensor& named : before) {
    by_name.emplace(named.name, named.tensor);
  }
  const auto entries = again.document.items(again.root);
  fuzz::require(entries.size() == 2 * before.size());
  for (std::size_t i = 0; i < std::min(entries.size(), 2 * kMaxTensors); i += 2) {
    const auto found = by_name.find(std::string(again.document.text(entries[i])));
    fuzz::require(found != by_name.end());
    const TensorRecord& tensor = *found->second;
    const TensorRecord& tensor_again = *again.tensor(entries[i + 1]);
    fuzz::require(tensor_again.dtype == tensor.dtype && tensor_again.shape == tensor.shape);
    if (!tensor.is_conj && !tensor.is_neg) {
      fuzz::require(elements_of(again, tensor_again) == elements_of(file, tensor));
    }
  }
}

bool has_few_names(const TensorFile& file) {
  try {
    return named_tensors(file, file.root).size() <= kMaxNames;
  } catch (const FormatError&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    sink = static_cast<unsigned>(inflate(std::as_bytes(std::span(data, size)), kMaxInflated).size());
  } catch (const FormatError&) {
  }
  TensorFile file;
  try {
    file = read_tensor_file(OpenedFile(FileBytes::copy_of(std::as_bytes(std::span(data, size)))));
  } catch (const FormatError&) {
    return 0;
  }
  touch(file);
  if (!has_few_names(file)) {
    return 0;
  }
  try {
    sink = static_cast<unsigned>(contents_of(file, std::nullopt).left_out.size() +
                                 note_of_choice(file, std::nullopt).size());
  } catch (const FormatError&) {  // several dictionaries, or too many values
  }
  pickle::Value value;
  try {
    value = plain_values_of(file, file.root).value;
    check_zip(file, value);
    value = select_state_dict(file, std::nullopt).dict;
  } catch (const FormatError&) {
    return 0;
  }
  check_safetensors(file, value);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  random.discard(8);
  std::optional<std::string> mutated;
  if (random() % 5 != 0) {
    mutated = fuzz::mutated_zip(std::as_bytes(std::span(data, size)), max_size, random);
    if (!mutated) {
      mutated = fuzz::mutated_safetensors({reinterpret_cast<const char*>(data), size}, max_size);
    }
  }
  if (!mutated) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::memcpy(data, mutated->data(), mutated->size());
  return mutated->size();
}
