#include "train/optimizer.h"

#include <torch/torch.h>

#include <string>
#include <string_view>
#include <utility>

#include "error.h"

namespace iris {

std::vector<ParamGroupEntry> param_group(const TrainConfig& config) {
  if (config.optimizer == Optimizer::kSgd) {
    return {{"lr", config.lr, true},
            {"momentum", config.momentum, true},
            {"dampening", std::int64_t{0}, true},
            {"weight_decay", config.weight_decay, true},
            {"nesterov", false, true},
            {"maximize", false, true},
            {"foreach", {}, false},
            {"differentiable", false, false},
            {"fused", true, false}};
  }
  return {{"lr", config.lr, true},
          {"betas", kAdamBetas, true},
          {"eps", kAdamEps, true},
          {"weight_decay", config.weight_decay, true},
          {"amsgrad", false, true},
          {"maximize", false, true},
          {"foreach", {}, false},
          {"capturable", false, false},
          {"differentiable", false, false},
          {"fused", true, false},
          {"decoupled_weight_decay", config.optimizer == Optimizer::kAdamW, false}};
}

std::vector<const char*> FusedOptimizer::state_names(const TrainConfig& config) {
  if (config.optimizer != Optimizer::kSgd) {
    return {"step", "exp_avg", "exp_avg_sq"};
  }
  return config.momentum == 0 ? std::vector<const char*>{} : std::vector<const char*>{"momentum_buffer"};
}

FusedOptimizer::FusedOptimizer(std::vector<at::Tensor> parameters, const TrainConfig& config)
    : parameters_(std::move(parameters)), config_(config) {}

void FusedOptimizer::zero_grad() {
  for (const at::Tensor& parameter : parameters_) {
    parameter.mutable_grad() = at::Tensor();
  }
}

std::vector<std::vector<at::Tensor>> FusedOptimizer::zero_state() const {
  std::vector<std::vector<at::Tensor>> state;
  for (const std::string_view name : state_names(config_)) {
    std::vector<at::Tensor>& tensors = state.emplace_back();
    for (const at::Tensor& parameter : parameters_) {
      tensors.push_back(name == "step" ? at::zeros({}, parameter.options()) : at::zeros_like(parameter));
    }
  }
  return state;
}

void FusedOptimizer::step() {
  using FusedAdam = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                             at::TensorList, double, double, double, double, double, bool, bool,
                             const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters_) {
    gradients.push_back(parameter.grad());
  }
  const bool is_first = state_.empty();
  if (is_first) {
    state_ = zero_state();
  }
  if (config_.optimizer == Optimizer::kSgd) {
    at::_fused_sgd_(parameters_, gradients, state_.empty() ? std::vector<at::Tensor>{} : state_[0],
                    config_.weight_decay, config_.momentum, config_.lr, /*dampening=*/0, /*nesterov=*/false,
                    /*maximize=*/false, is_first && !state_.empty());
    return;
  }
  at::_foreach_add_(state_[0], 1);
  const FusedAdam fused_adam =
      config_.optimizer == Optimizer::kAdamW ? FusedAdam(at::_fused_adamw_) : FusedAdam(at::_fused_adam_);
  fused_adam(parameters_, gradients, state_[1], state_[2], {}, state_[0], config_.lr, kAdamBetas.first,
             kAdamBetas.second, config_.weight_decay, kAdamEps, /*amsgrad=*/false, /*maximize=*/false, {}, {});
}

StateDict FusedOptimizer::state() const {
  const std::vector<const char*> names = state_names(config_);
  StateDict result;
  for (std::size_t name = 0; name < state_.size(); ++name) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      result.insert(std::to_string(i) + "." + names[name], state_[name][i]);
    }
  }
  return result;
}

void FusedOptimizer::load(const StateDict& given) {
  const torch::NoGradGuard no_grad;
  state_ = zero_state();
  const StateDict own = state();
  for (const auto& item : own) {
    const at::Tensor* tensor = given.find(item.key());
    if (tensor == nullptr || tensor->scalar_type() != at::kFloat || tensor->sizes() != item.value().sizes() ||
        !tensor->isfinite().all().item<bool>()) {
      throw FormatError("optimizer_state_dict: " + item.key() + " is missing, not finite, or does not fit the model");
    }
    item.value().copy_(*tensor);
  }
  if (given.size() != own.size()) {
    throw FormatError("optimizer_state_dict: holds more than " + std::string(name_of(config_.optimizer)) + " has");
  }
}

}  // namespace iris
