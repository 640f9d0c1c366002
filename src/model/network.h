// The forms in which LibTorch can run a model, as one.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/file/pt2_archive.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// On its device and in eval().
class Network {
 public:
  virtual ~Network() = default;

  // features: float32, or the dtype that `to` was given, [N, features] on the network's device. Returns the model's
  // output as it is, of any dtype and shape: an undefined tensor where it is not a tensor. Throws c10::Error or
  // std::exception.
  virtual at::Tensor forward(const at::Tensor& features) = 0;

  // Converts its floating-point parameters and buffers; from then on forward takes features of that dtype. Call before
  // the first forward. Throws InputError where the form has nothing that could be converted.
  virtual void to(at::ScalarType dtype) = 0;
};

// IrisNet of that hidden width, or of its default width, filled from the file's state_dict. On the CPU a row's logits
// have the same bits in every pass, whatever rows come with it; for that, LibTorch's threads within one operation are
// set to 1 for the whole process. Throws FormatError or InputError, without the path.
std::unique_ptr<Network> make_iris_network(const TensorFile& file, const std::optional<std::string>& key,
                                           std::optional<std::int64_t> hidden, c10::Device device);

// The file's TorchScript module; nullptr where it has no forward. Its forward is given the rows as they are. Running it
// runs the program in the file. Throws FormatError without the path.
std::unique_ptr<Network> make_torchscript_network(const TensorFile& file, c10::Device device);

// The package's compiled model. Loading and running it runs the native code in the file. Throws FormatError and
// InputError without the path: not for this machine, LibTorch or device, or damaged.
std::unique_ptr<Network> make_aoti_network(const Pt2Archive& archive, c10::Device device);

}  // namespace iris
