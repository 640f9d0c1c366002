#include "model/iris_net.h"

namespace iris {

IrisNetImpl::IrisNetImpl(const IrisNetOptions& options)
    : fc1(register_module("fc1", torch::nn::Linear(options.features(), options.hidden()))),
      relu(register_module("relu", torch::nn::ReLU())),
      fc2(register_module("fc2", torch::nn::Linear(options.hidden(), options.classes()))) {}

torch::Tensor IrisNetImpl::forward(const torch::Tensor& features) {
  return fc2->forward(relu->forward(fc1->forward(features)));
}

}  // namespace iris
