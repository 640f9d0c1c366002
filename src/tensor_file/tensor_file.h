// Any file that holds tensors, read without LibTorch: what Python would see in it, as plain data. The layouts are in
// docs/byte-formats.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_bytes.h"
#include "pickle/document.h"
#include "tensor_file/dtype.h"

namespace iris {

struct OpenedFile;

// Where TorchScript archives and .pt2 packages name their model's inputs and outputs: an extra file, below the
// archive's root folder.
inline constexpr std::string_view kNamesEntry = "extra/iris.json";

enum class Container { kZip, kLegacy, kSafetensors, kTar };

// The bytes that one or more tensors lie in.
struct StorageRecord {
  std::string key;                    // its name in the container
  std::string location;               // where it was when saved: "cpu", "cuda:0"
  std::optional<DType> dtype;         // of its elements; nullopt: an UntypedStorage
  std::uint64_t size = 0;             // bytes
  std::span<const std::byte> data;    // little-endian, `size` bytes; valid as long as `owner`
  std::shared_ptr<const void> owner;  // the mapped file, or a copy where bytes had to be swapped
  std::uint32_t crc = 0;              // of the data, as the container says; 0: it says none
  std::size_t word_size = 0;          // of the numbers in it (an UntypedStorage's: by its first tensor); 0: not known
  std::shared_ptr<const FileBytes> file = nullptr;  // that `data` lies in; nullptr: it is a copy

  std::uint64_t element_size() const { return dtype ? size_of(*dtype) : 1; }
};

// All numbers count elements. Already checked: one stride per size, nothing negative, nothing overflowing 64 bits, and
// every element inside the storage. A tensor may still be far larger than its storage, by strides of 0.
struct TensorRecord {
  DType dtype = {};
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
  std::uint32_t storage = 0;  // index into TensorFile::storages
  bool requires_grad = false;
  bool is_parameter = false;
  bool is_conj = false;
  bool is_neg = false;

  std::int64_t numel() const;
  bool is_contiguous() const;
};

// A value and its path from the root, in dots.
struct NamedValue {
  std::string name;
  pickle::Value value;
};

// Moved, not copied (the document's texts are views into `file`). Any number of threads may read it.
struct TensorFile {
  std::shared_ptr<const FileBytes> file;
  Container container = Container::kZip;
  bool is_torchscript = false;              // or written by C++ torch::save: the archive has constants.pkl
  bool is_cpp_archive = false;              // by C++ torch::save: plain modules, no program in it
  bool has_tensor_attributes = false;       // Python code had set some; they are not kept
  bool has_modules = false;                 // Python had pickled whole modules: each is its state_dict here
  std::vector<std::string> module_classes;  // of those modules, but not torch's own; at most kMostModuleClasses
  std::vector<std::shared_ptr<const FileBytes>> shards;  // where `file` names others
  pickle::Document document;
  // Tensors are Kind::kExternal: an index into `tensors`. Of an archive of modules, its state_dict(): an OrderedDict.
  pickle::Value root;
  std::vector<TensorRecord> tensors;
  std::vector<StorageRecord> storages;
  // TorchScript only: the tensors in it that its state_dict() does not have, under their paths, and then those that its
  // code names CONSTANTS.c0, c1, … (a frozen module has all of its own there).
  std::vector<NamedValue> left_out;
  bool has_constants = false;
  bool names_no_buffers = false;  // TorchScript only: see notes_of
  int version = 0;                // of a zip, as its entry of that name says
  std::string_view names;         // TorchScript only: the content of kNamesEntry, whatever it is; empty: there is none

  TensorFile() = default;
  TensorFile(TensorFile&&) = default;
  TensorFile& operator=(TensorFile&&) = default;

  // Returns the value that stands for it.
  pickle::Value add(TensorRecord tensor);

  static constexpr std::size_t kMostModuleClasses = 20;
  void note_module(const std::string& class_name);

  // As FileBytes::require_unchanged.
  void require_unchanged() const;

  // Bytes, all shards included.
  std::uint64_t size() const;

  // nullptr where the value is not a tensor.
  const TensorRecord* tensor(pickle::Value value) const;
};

// Told by content, never by name; "-" is standard input. Mapped, it reads no tensor data; who does so later uses
// read_whole. Throws FormatError("PATH: …").
TensorFile read_tensor_file(const std::string& path, FileBytes::Reading reading = FileBytes::Reading::kMapped);

// The same of a file that is open. Throws FormatError without a path.
TensorFile read_tensor_file(const OpenedFile& file);

}  // namespace iris
