// A Python state_dict in C++, both ways:
//
//   // of torch.save(model.state_dict(), "model.pt")
//   iris::load_state_dict(*model, iris::read_state_dict("model.pt"));
//   // for torch.load("model_cpp.pt", weights_only=True)
//   iris::write_state_dict(iris::state_dict_of(*model), "model_cpp.pt");
//
// Errors are std::runtime_error: FormatError when a file is damaged or holds what is refused, InputError when it does
// not fit or cannot be written (iris/error.h), each with one message that says where, what and what to do. None of
// these functions changes anything, in memory or on disk, when it throws. All may be called by several threads at once,
// on different modules and files.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/ordered_dict.h>

#include <cstdint>
#include <optional>
#include <string>

namespace torch::nn {
class Module;
}

namespace iris {

// Tensors by name, in the file's order, or that of Python's module.state_dict(). A tensor keeps its dtype, shape,
// strides, requires_grad and its conj and neg bits, and two names on one storage share it.
struct StateDict : torch::OrderedDict<std::string, at::Tensor> {
  // Python's _metadata: for a module's path ("" the root, "layer1.0"), the version of what it saves. May be empty.
  torch::OrderedDict<std::string, std::int64_t> versions;
};

// Reads the state_dict in a file, whatever its name: zip and legacy files of torch.save, safetensors, TorchScript and
// C++ torch::save archives (as data: nothing in them is run), a Hugging Face index with its shards, a folder of
// torch.distributed.checkpoint. "-" is standard input.
// A module that Python pickled whole is its state_dict; classes that are not known are passed over.
// key: which dictionary of a checkpoint; inner ones after dots, "." the root. Without it: the first of
// model_state_dict, state_dict, model_state and model that holds tensors; else the only dictionary that does, however
// deep, but for those of optimizers, schedulers and random states, and for the root where there is another. The tensors
// are on the CPU, also those saved on a GPU. Their data is mapped from the file, and so read when it is first used;
// they keep the mapping alive, and writing to them changes memory, never the file. Who reads them after the file was
// cut short gets the signal SIGBUS (writers that replace it, as write_state_dict does, are no danger). Checksums of the
// data are not compared, since that would read it all: see verify. verify: also compares the data's checksums, where
// the file has them.
StateDict read_state_dict(const std::string& path, const std::optional<std::string>& key = std::nullopt,
                          bool verify = false);

// Copies every tensor into the module's parameter or buffer of that name, converting dtype and device as Python's
// load_state_dict(strict=True) does. All is checked first: either every tensor is copied or, with an InputError that
// lists all missing keys, unexpected keys and shape mismatches, none. A prefix of all names, "module." (DataParallel)
// or "_orig_mod." (torch.compile), is passed over unless the module has it too, and n_averaged beside "module."
// (AveragedModel). num_batches_tracked may be missing in what PyTorch before 0.4.1 wrote. Throws FormatError where
// tensors are mapped from a file that was cut or written to since it was read: before anything is copied, or after,
// where that happened meanwhile; a cut during the copy is SIGBUS. The module must not be used by another thread.
void load_state_dict(torch::nn::Module& module, const StateDict& state_dict);

// What Python's module.state_dict() gives: parameters and buffers, detached, sharing the module's memory.
StateDict state_dict_of(const torch::nn::Module& module);

// Writes what torch.load(path, weights_only=True) reads and load_state_dict(strict=True) takes or, when the path ends
// with .safetensors, that format. Shared storages are written once, tensors on a GPU as on the CPU. The same tensors
// give the same bytes. The file is replaced as a whole: whenever the process is killed, there is the old one or the new
// one. "-" is standard output.
void write_state_dict(const StateDict& state_dict, const std::string& path);

}  // namespace iris
