// The tutorial's classifier. Its submodules carry the names of the Python attributes
// (python_export/iris_export/iris_net.py), so its state_dict's keys are Python's.
#pragma once

#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

namespace iris {

struct IrisNetOptions {
  IrisNetOptions() = default;
  TORCH_ARG(int64_t, features) = 4;
  TORCH_ARG(int64_t, hidden) = 16;
  TORCH_ARG(int64_t, classes) = 3;
};

struct IrisNetImpl : torch::nn::Module {
  explicit IrisNetImpl(const IrisNetOptions& options = {});

  // features: float32 [N, features], cm. Returns logits: float32 [N, classes].
  torch::Tensor forward(const torch::Tensor& features);

  torch::nn::Linear fc1;
  torch::nn::ReLU relu;
  torch::nn::Linear fc2;
};
TORCH_MODULE(IrisNet);

}  // namespace iris
