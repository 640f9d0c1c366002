// Tensors and plain values of ours as a TensorFile, to be written.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "state_dict/state_dict.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// Values are added from the inside out: what a container holds comes before it.
class TensorFileBuilder {
 public:
  using Entries = std::vector<std::pair<std::string, pickle::Value>>;

  pickle::Value add_text(const std::string& text);
  pickle::Value add_list(std::vector<pickle::Value> items);
  pickle::Value add_tuple(std::vector<pickle::Value> items);
  pickle::Value add_dict(const Entries& entries);
  // Keys and values in turn.
  pickle::Value add_dict(std::vector<pickle::Value> items);

  // Keeps the tensor's memory alive or, of a tensor on a GPU, a copy. Throws InputError, naming it, for a tensor that
  // has no storage of its own (sparse, quantized, meta).
  pickle::Value add_tensor(const std::string& name, const at::Tensor& tensor);

  // As Python's module.state_dict(): an OrderedDict with its _metadata.
  pickle::Value add_state_dict(const StateDict& state_dict);

  // Ends the building.
  TensorFile build(pickle::Value root);

 private:
  pickle::Value add(pickle::Kind kind, std::vector<pickle::Value> items);
  std::uint32_t add_storage(const at::Tensor& tensor, DType dtype);

  TensorFile file_;
  std::unordered_map<const void*, std::uint32_t> places_;  // of the storages that were met
};

}  // namespace iris
