// Reads a state_dict of Python's, loads it into a module, predicts, and writes it again. docs/guide.md shows these
// steps beside the same ones in Python.
#include <iris/state_dict.h>
#include <torch/torch.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

// The fields have the names of the Python attributes, so the keys are the same as in Python.
struct IrisNetImpl : torch::nn::Module {
  torch::nn::Linear fc1{register_module("fc1", torch::nn::Linear(4, 16))};
  torch::nn::ReLU relu{register_module("relu", torch::nn::ReLU())};
  torch::nn::Linear fc2{register_module("fc2", torch::nn::Linear(16, 3))};

  torch::Tensor forward(const torch::Tensor& x) { return fc2(relu(fc1(x))); }
};
TORCH_MODULE(IrisNet);

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: tutorial IN OUT\n";
    return 2;
  }
  const iris::StateDict state_dict = iris::read_state_dict(argv[1]);
  for (const auto& item : state_dict) {
    std::cout << item.key() << " " << item.value().sizes() << "\n";
  }

  IrisNet model;                              // fresh, random weights
  iris::load_state_dict(*model, state_dict);  // all of them, or none and one error

  model->eval();                     // switch 1
  const torch::NoGradGuard no_grad;  // switch 2, until the end of the scope
  const torch::Tensor sample = torch::tensor({{5.1, 3.5, 1.4, 0.2}});
  const torch::Tensor logits = model(sample);
  std::cout << "Predicted class index: " << logits.argmax(1).item<std::int64_t>() << "\n";

  const std::vector<std::string> labels{"setosa", "versicolor", "virginica"};
  const auto [confidence, index] = torch::softmax(logits, 1).max(1);
  std::cout << "Prediction: " << labels.at(index.item<std::int64_t>()) << "\n";
  std::cout << "Confidence: " << confidence.item<float>() << "\n";

  iris::write_state_dict(iris::state_dict_of(*model), argv[2]);
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
