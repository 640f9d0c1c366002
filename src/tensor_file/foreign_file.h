// Files that are something else than tensor files: what each is, and what to do. All that names them is here.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "tensor_file/zip_reader.h"

namespace iris {

// Of a file of kind kOther.
std::string describe_foreign_file(std::span<const std::byte> bytes);

// Of a zip without a data.pkl in its root folder.
std::string describe_foreign_zip(const ZipReader& zip);

// Of a tar that is not PyTorch's; `names` are its entries.
std::string describe_foreign_tar(std::span<const std::string> names);

// What a folder of torch.distributed.checkpoint needs that is not read.
inline constexpr const char* kDistributedWayOut =
    "make one file of the folder, in Python: torch.distributed.checkpoint.format_utils.dcp_to_torch_save(FOLDER, "
    "\"model.pt\")";

// Of a folder that is not torch.distributed.checkpoint's.
std::string describe_folder(const std::string& path);

// Core ML, TensorFlow, ONNX, Caffe. nullopt: it is none of these. The formats have no magic number: they are told by
// the numbers and kinds of the message's fields.
std::optional<std::string> describe_protobuf(std::span<const std::byte> bytes);

}  // namespace iris
