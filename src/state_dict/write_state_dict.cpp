#include <torch/nn/module.h>

#include "error.h"
#include "io/output_file.h"
#include "state_dict/state_dict.h"
#include "state_dict/tensor_file_builder.h"
#include "tensor_file/tensor_writer.h"

namespace iris {
namespace {

// The order of Python's module.state_dict(): a module's own parameters, its own buffers, then its children.
void collect(const torch::nn::Module& module, const std::string& path, StateDict& result) {
  const std::string prefix = path.empty() ? "" : path + ".";
  bool counts_batches = false;
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    result.insert(prefix + parameter.key(), parameter.value().detach());
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    result.insert(prefix + buffer.key(), buffer.value().detach());
    counts_batches = counts_batches || buffer.key() == "num_batches_tracked";
  }
  result.versions.insert(path, counts_batches ? 2 : 1);  // as torch.nn.BatchNorm1d._version
  for (const auto& child : module.named_children()) {
    collect(*child.value(), prefix + child.key(), result);
  }
}

}  // namespace

StateDict state_dict_of(const torch::nn::Module& module) {
  StateDict result;
  collect(module, "", result);
  return result;
}

void write_state_dict(const StateDict& state_dict, const std::string& path) {
  TensorFileBuilder builder;
  TensorFile file = builder.build(builder.add_state_dict(state_dict));
  OutputFile output(path);
  try {
    if (path.ends_with(".safetensors")) {
      write_safetensors(file, file.root, output);
    } else {
      write_zip(file, file.root, output);
    }
  } catch (const FormatError& error) {
    throw InputError((path == "-" ? "stdout" : path) + ": " + error.what());
  }
  output.commit();
}

}  // namespace iris
