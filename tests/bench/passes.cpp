// bench_passes MODULE ROWS FEATURES BATCH: a LibTorch program that only runs a TorchScript module on so many rows of
// zeros, in batches, on all cores: the least that predicting them takes.
#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstdlib>

int main(int count, char** arguments) {
  if (count != 5) {
    return 2;
  }
  const c10::InferenceMode inference;
  torch::jit::Module module = torch::jit::load(arguments[1]);
  module.eval();
  const std::int64_t batch = std::atoll(arguments[4]);
  for (std::int64_t left = std::atoll(arguments[2]); left > 0; left -= batch) {
    module.forward({at::zeros({std::min(left, batch), std::atoll(arguments[3])})});
  }
}
