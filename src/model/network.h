// The forms in which LibTorch can run a model, as one.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/file/model_names.h"
#include "model/file/pt2_archive.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// On its device and in eval().
class Network {
 public:
  virtual ~Network() = default;

  // features: float32, or what `to` was given, [N, features] on the network's device. Returns what the model gives,
  // which is not checked to be a tensor of any shape: an undefined tensor when it is no tensor at all. Throws
  // c10::Error or std::exception.
  virtual at::Tensor forward(const at::Tensor& features) = 0;

  // Converts its floating-point parameters and buffers; forward takes features of that dtype from then on. Before it is
  // used. Throws InputError where the form has none that could be converted.
  virtual void to(at::ScalarType dtype);

  ModelNames names;
};

// IrisNet, of that hidden width or its usual one, filled from the file's state_dict. Throws FormatError or InputError,
// without the path.
std::unique_ptr<Network> make_iris_network(const TensorFile& file, const std::optional<std::string>& key,
                                           std::optional<std::int64_t> hidden, c10::Device device);

// The file's TorchScript module; nullptr where it has no forward (C++ torch::save writes such). Running it runs the
// program in the file. Throws FormatError without the path.
std::unique_ptr<Network> make_torchscript_network(const TensorFile& file, c10::Device device);

// The package's compiled model. Loading and running it runs the native code in the file. Throws FormatError and
// InputError without the path: not for this machine, LibTorch or device, or damaged.
std::unique_ptr<Network> make_aoti_network(const Pt2Archive& archive, c10::Device device);

// The sentence of an error of LibTorch: without backtrace, C++ places and TorchScript's source.
std::string message_of(const std::exception& error);

}  // namespace iris
