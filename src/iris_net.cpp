#include "iris_net.h"

namespace iris {

std::vector<std::string> iris_features() { return {"sepal_length", "sepal_width", "petal_length", "petal_width"}; }

std::vector<std::string> iris_labels() { return {"setosa", "versicolor", "virginica"}; }

IrisNetImpl::IrisNetImpl(const IrisNetOptions& options)
    : fc1(register_module("fc1", torch::nn::Linear(options.features(), options.hidden()))),
      relu(register_module("relu", torch::nn::ReLU())),
      fc2(register_module("fc2", torch::nn::Linear(options.hidden(), options.classes()))) {}

torch::Tensor IrisNetImpl::forward(const torch::Tensor& features) {
  return fc2->forward(relu->forward(fc1->forward(features)));
}

}  // namespace iris
