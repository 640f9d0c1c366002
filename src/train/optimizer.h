// torch.optim's Adam, AdamW and SGD.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "state_dict/state_dict.h"
#include "train/settings.h"

namespace iris {

using AdamBetas = std::pair<double, double>;
inline constexpr AdamBetas kAdamBetas = {0.9, 0.999};
inline constexpr double kAdamEps = 1e-8;

// An entry of Python's optimizer.state_dict()["param_groups"][0].
struct ParamGroupEntry {
  const char* key;
  std::variant<std::monostate, bool, std::int64_t, double, AdamBetas> value;  // monostate: None
  bool decides_bits;  // a checkpoint with another value is not this run's
};

// All but "params", in Python's order, of an optimizer with fused=True.
std::vector<ParamGroupEntry> param_group(const TrainConfig& config);

// As Python's with fused=True: the same kernels in the same order give the same bits. (torch::optim's own classes and
// Python's default ones consist of other operations, which round differently.)
class FusedOptimizer {
 public:
  // parameters: in the order of Python's module.parameters().
  FusedOptimizer(std::vector<at::Tensor> parameters, const TrainConfig& config);

  void zero_grad();
  void step();

  // The tensors of Python's optimizer.state_dict()["state"], named "0.exp_avg" for parameter 0; none before the first
  // step. They share the optimizer's memory.
  StateDict state() const;

  // Copies the tensors. Throws FormatError for one that is missing, not finite, or of another shape, and for one more;
  // after that the optimizer may not be used.
  void load(const StateDict& given);

  // The names of a parameter's tensors in the state, in Python's order.
  static std::vector<const char*> state_names(const TrainConfig& config);

 private:
  std::vector<std::vector<at::Tensor>> zero_state() const;

  const std::vector<at::Tensor> parameters_;
  const TrainConfig config_;
  std::vector<std::vector<at::Tensor>> state_;  // for each of state_names(), a tensor for each parameter
};

}  // namespace iris
