// Tensors and plain values to a file that Python reads.
#pragma once

#include "io/output_file.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// Writes the value (file.root, or a part of it) as torch.save does, for torch.load(weights_only=True): names, order,
// shapes, dtypes, strides, bits, requires_grad and an OrderedDict's state (_metadata) kept; a storage that several
// tensors share is written once; tensors saved on a GPU are marked as on the CPU. The same input gives the same bytes.
// Adds to file.document. Throws FormatError, without a path, for what Python would not read back and for data that
// differs from the CRC of the file it came from; InputError("PATH: …") when the output cannot be written. Commits
// nothing.
void write_zip(TensorFile& file, pickle::Value value, OutputFile& output);

// Writes the tensors of a dict (see named_tensors) as safetensors: contiguous, each with its own data, larger elements
// first so that all lie aligned. __metadata__ is that of the dict's state, else {"format":"pt"}.
// Throws FormatError for dtypes and names that the format lacks, and as write_zip.
void write_safetensors(const TensorFile& file, pickle::Value dict, OutputFile& output);

// Throws FormatError unless every storage's data has the CRC that the file says, where it says one. Reads all data.
void verify_data(const TensorFile& file);

}  // namespace iris
