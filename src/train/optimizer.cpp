#include "train/optimizer.h"

#include <torch/torch.h>

#include <string>
#include <utility>

#include "error.h"

namespace iris {
namespace {

using FusedAdam = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                           at::TensorList, double, double, double, double, double, bool, bool,
                           const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);

}  // namespace

double ParamGroupEntry::number() const {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? 1 : 0;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  return std::get<double>(value);
}

std::vector<ParamGroupEntry> param_group(const TrainConfig& config) {
  constexpr std::monostate kNone;
  if (config.optimizer == Optimizer::kSgd) {
    return {{"lr", config.lr, true},
            {"momentum", config.momentum, true},
            {"dampening", std::int64_t{0}, true},
            {"weight_decay", config.weight_decay, true},
            {"nesterov", false, true},
            {"maximize", false, true},
            {"foreach", kNone, false},
            {"differentiable", false, false},
            {"fused", true, false}};
  }
  return {{"lr", config.lr, true},
          {"betas", kAdamBetas, true},
          {"eps", kAdamEps, true},
          {"weight_decay", config.weight_decay, true},
          {"amsgrad", false, true},
          {"maximize", false, true},
          {"foreach", kNone, false},
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

void FusedOptimizer::step() {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters_) {
    gradients.push_back(parameter.grad());
  }
  const bool is_first = state_.empty();
  if (is_first) {
    state_.resize(state_names(config_).size());
  }
  if (config_.optimizer == Optimizer::kSgd) {
    for (std::size_t i = 0; is_first && !state_.empty() && i < gradients.size(); ++i) {
      state_[0].push_back(at::empty_like(gradients[i]));  // the kernel fills it in
    }
    at::_fused_sgd_(parameters_, gradients, state_.empty() ? std::vector<at::Tensor>{} : state_[0],
                    config_.weight_decay, config_.momentum, config_.lr, /*dampening=*/0, /*nesterov=*/false,
                    /*maximize=*/false, is_first && !state_.empty());
    return;
  }
  for (std::size_t i = 0; is_first && i < parameters_.size(); ++i) {
    state_[0].push_back(at::zeros({}, parameters_[i].options()));
    state_[1].push_back(at::zeros_like(parameters_[i]));
    state_[2].push_back(at::zeros_like(parameters_[i]));
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
  for (std::size_t i = 0; !state_.empty() && i < parameters_.size(); ++i) {
    for (std::size_t name = 0; name < names.size(); ++name) {
      result.insert(std::to_string(i) + "." + names[name], state_[name][i]);
    }
  }
  return result;
}

void FusedOptimizer::load(const StateDict& state) {
  const torch::NoGradGuard no_grad;
  const std::vector<const char*> names = state_names(config_);
  std::vector<std::vector<at::Tensor>> loaded(names.size());
  for (std::size_t name = 0; name < names.size(); ++name) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const std::string key = std::to_string(i) + "." + names[name];
      const at::Tensor* tensor = state.find(key);
      const bool is_step = names[name] == std::string("step");
      if (tensor == nullptr || tensor->scalar_type() != at::kFloat ||
          tensor->sizes() != (is_step ? at::IntArrayRef() : parameters_[i].sizes()) ||
          !tensor->isfinite().all().item<bool>()) {
        throw FormatError("optimizer_state_dict: " + key + " is missing, not finite, or does not fit the model");
      }
      loaded[name].push_back(at::empty_like(is_step ? at::zeros({}, parameters_[i].options()) : parameters_[i]));
      loaded[name].back().copy_(*tensor);
    }
  }
  if (state.size() != names.size() * parameters_.size()) {
    throw FormatError("optimizer_state_dict: holds more than " + std::string(name_of(config_.optimizer)) + " has");
  }
  state_ = std::move(loaded);
}

}  // namespace iris
