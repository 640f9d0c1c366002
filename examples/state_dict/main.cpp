// A model of one's own: its Python state_dict in, one forward pass, its state_dict out.
#include <iris/state_dict.h>
#include <torch/torch.h>

#include <iostream>

struct NetImpl : torch::nn::Module {
  torch::nn::Conv1d conv{register_module("conv", torch::nn::Conv1d(2, 4, 3))};
  torch::nn::BatchNorm1d norm{register_module("norm", torch::nn::BatchNorm1d(4))};
  torch::nn::LSTM lstm{register_module("lstm", torch::nn::LSTM(4, 5))};

  // signal: float32 [N, 2, T]. Returns float32 [T - 2, N, 5].
  torch::Tensor forward(const torch::Tensor& signal) {
    return std::get<0>(lstm(norm(conv(signal)).relu().permute({2, 0, 1})));
  }
};
TORCH_MODULE(Net);

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: state_dict_example IN OUT\n";
    return 2;
  }
  Net net;
  iris::load_state_dict(*net, iris::read_state_dict(argv[1]));
  net->eval();
  const torch::NoGradGuard no_grad;
  std::cout.precision(9);
  std::cout << net(torch::ones({1, 2, 10})).sum().item<double>() << "\n";
  iris::write_state_dict(iris::state_dict_of(*net), argv[2]);
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
