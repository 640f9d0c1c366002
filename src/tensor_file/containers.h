// One function per container, from a file of that kind (kind_of_file) to a TensorFile, and what they share. All throw
// FormatError, without the path.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/file_bytes.h"
#include "tensor_file/tensor_file.h"
#include "tensor_file/zip_reader.h"

namespace iris {

// torch.save since 1.6, torch.jit.save and C++ torch::save.
TensorFile read_zip_container(const ZipReader& zip, std::shared_ptr<const FileBytes> file);

// Throws where what a zip's entries unpack to is more than kMaxInflated: LibTorch inflates a TorchScript's code into
// memory.
void check_inflated_size(const ZipReader& zip);

// torch.save before 1.6.
TensorFile read_legacy_container(std::shared_ptr<const FileBytes> file);

// torch.save before 0.1.10.
TensorFile read_tar_container(std::shared_ptr<const FileBytes> file);

// safetensors (the format's README). Its __metadata__ is in the root's state, under that name.
TensorFile read_safetensors_container(std::shared_ptr<const FileBytes> file);
inline constexpr const char* kSafetensorsMetadata = "__metadata__";

// The index of a state_dict in several files, as Hugging Face's libraries write it (*.index.json), and its shards,
// which must lie in its folder: one state_dict, in the index's order. What shards hold beside tensors is passed over.
TensorFile read_sharded_file(std::shared_ptr<const FileBytes> index);

// A torch.distributed.checkpoint folder, from its .metadata: the values of all its files, in the dictionaries that they
// were in. Tensors in several pieces are joined in memory; objects become the names of their classes.
TensorFile read_distributed_checkpoint(std::shared_ptr<const FileBytes> metadata);

// The key of every storage whose data is a NumPy array in the pickle.
inline constexpr const char* kNumpyKey = "numpy";

// From pickled calls to tensors (torch/_utils.py, torch/serialization.py, torch/jit/_pickle.py): finds every tensor
// that the document describes, checks it against its storage's claimed size, and puts it and the storage into `file`,
// the storages without their data. Then every value, and file.root, that was a call for a tensor is an index into
// file.tensors.
// Then replace_modules.
void resolve_tensors(TensorFile& file);

// Puts in the place of every nn.Module that Python pickled whole what its state_dict() gives, an OrderedDict: the
// names, order, strides and sharing that it has in Python. Modules within that module are in its names; a module
// elsewhere (in a checkpoint, an object's attributes) is a dictionary there. What the walk cannot see, such as a class
// with a state_dict of its own, is for TensorFile::module_classes to tell.
void replace_modules(TensorFile& file);

// Puts in the place of an archive's module what torch.jit.load(f).state_dict() gives, an OrderedDict: its code says
// which attributes are parameters and buffers. The others that hold tensors go to file.left_out. `root` is the
// archive's folder. Nothing of the code is run.
void replace_script_modules(TensorFile& file, const ZipReader& zip, const std::string& root);

// Throws unless the record's fields are what TensorRecord promises for a storage of that many bytes.
void check_tensor(const TensorRecord& tensor, std::uint64_t storage_size);

// Gives the storage its bytes; swaps them (into a copy) when the file is of the other byte order. Throws unless there
// are exactly as many as the pickle says.
void attach_data(TensorFile& file, std::uint32_t storage, std::span<const std::byte> data, bool is_big_endian);

}  // namespace iris
