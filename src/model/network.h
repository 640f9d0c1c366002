// The forms in which LibTorch can run a model, as one.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/file/model_file.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// What is known of a form, so that callers need not know which it is.
struct NetworkTraits {
  bool has_independent_rows = false;  // by construction: nothing has to be compared
  bool changes_itself = false;        // or may: see copy()
  bool is_bounded = false;            // a pass takes as long for some rows as for others
};

// On its device and in eval(). Any number of threads may call forward at once; where a network changes itself while it
// runs, they take turns.
class Network {
 public:
  explicit Network(NetworkTraits its_traits = {}) : traits(its_traits) {}
  virtual ~Network() = default;

  const NetworkTraits traits;

  // A network of the same state, for trial passes that leave this one as it is. Only where it changes itself.
  virtual std::unique_ptr<Network> copy() const { return nullptr; }

  // Of its floating-point weights, where all have the same; nullopt: not known.
  virtual std::optional<at::ScalarType> dtype() const { return std::nullopt; }

  // features: float32, or the dtype that `to` was given, [N, features] on the network's device. Returns the model's
  // output as it is, of any dtype and shape. Throws InputError, without the path, where it is not one tensor, or where
  // the model takes another number of rows; else c10::Error or std::exception.
  virtual at::Tensor forward(const at::Tensor& features) = 0;

  // Of its layers' outputs for a row, as far as the weights' shapes show; 0: not known.
  virtual std::size_t widest_layer() const { return 0; }

  // See Classifier.
  virtual std::vector<std::size_t> likely_feature_counts() const { return {}; }

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
std::unique_ptr<Network> make_torchscript_network(const FileBytes& file, c10::Device device);

// The package's compiled model. Loading and running it runs the native code in the file. Throws FormatError and
// InputError without the path: not for this machine, LibTorch or device, or damaged.
std::unique_ptr<Network> make_aoti_network(const Pt2Archive& archive, c10::Device device);

}  // namespace iris
