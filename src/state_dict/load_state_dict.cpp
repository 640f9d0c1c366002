#include <ATen/ops/empty.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "error.h"
#include "state_dict/state_dict.h"
#include "state_dict/tensors.h"
#include "tensor_file/dtype.h"
#include "tensor_file/selection.h"
#include "text.h"

namespace iris {
namespace {

// With more pairs than this, missing names are not compared with unexpected ones.
constexpr std::size_t kMaxNamesCompared = 10'000;
// Longer prefixes are not looked for: a name in a file may have a million dots.
constexpr std::size_t kMaxPrefix = 256;

// What torch.optim.swa_utils.AveragedModel has beside "module.…".
constexpr const char* kAveragedCount = "n_averaged";

// How many characters of every name to pass over.
std::size_t wrapper_prefix_size(const StateDict& state_dict, const StateDict& targets) {
  std::string prefix;
  for (bool found = true; found && prefix.size() < kMaxPrefix;) {
    found = false;
    for (const std::string_view wrapper : {"module.", "_orig_mod."}) {
      const std::string longer = prefix + std::string(wrapper);
      const auto has_it = [&](const auto& item) { return item.key().starts_with(longer); };
      const auto has_it_or_counts = [&](const auto& item) { return has_it(item) || item.key() == kAveragedCount; };
      if (std::any_of(state_dict.begin(), state_dict.end(), has_it) &&
          std::all_of(state_dict.begin(), state_dict.end(), has_it_or_counts) &&
          std::none_of(targets.begin(), targets.end(), has_it)) {
        prefix = longer;
        found = true;
      }
    }
  }
  return prefix.size();
}

std::string dtype_of(const at::Tensor& tensor) {
  const auto dtype = dtype_of_number(static_cast<std::int8_t>(tensor.scalar_type()));
  return dtype ? std::string(name_of(*dtype)) : c10::toString(tensor.scalar_type());
}

// LibTorch cannot convert some of its newest dtypes; trying tells which.
bool can_convert(at::ScalarType from, at::ScalarType to) {
  try {
    return from == to || at::empty({1}, from).to(to).defined();
  } catch (const c10::Error&) {
    return false;
  }
}

std::string shape_of(const at::Tensor& tensor) { return shape_text(tensor.sizes().vec()); }

// Insertions, deletions and changes from one name to the other (Levenshtein).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t change = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// BatchNorm counts its batches since version 2 of its layout. For older files Python keeps the module's own count.
bool may_be_missing(const std::string& name, const torch::OrderedDict<std::string, std::int64_t>& versions) {
  constexpr std::string_view kCount = "num_batches_tracked";
  if (!name.ends_with(kCount)) {
    return false;
  }
  const std::string path = name.substr(0, name.size() - kCount.size());
  const std::int64_t* version = versions.find(path.empty() ? "" : path.substr(0, path.size() - 1));
  return version == nullptr || *version < 2;
}

// What the load would do, and every reason against it.
class Plan {
 public:
  Plan(const StateDict& targets, const StateDict& state_dict) {
    const std::size_t prefix = wrapper_prefix_size(state_dict, targets);
    const auto is_passed_over = [&](const auto& item) { return prefix != 0 && item.key() == kAveragedCount; };
    for (const auto& item : state_dict) {
      if (!is_passed_over(item)) {
        sources_.emplace(item.key().substr(prefix), item.value());
      }
    }
    for (const auto& target : targets) {
      const auto source = sources_.find(target.key());
      if (source != sources_.end()) {
        add_copy(target.key(), target.value(), source->second);
      } else if (!may_be_missing(target.key(), state_dict.versions)) {
        missing_.emplace_back(target.key(), target.value());
      }
    }
    for (const auto& item : state_dict) {
      if (is_passed_over(item)) {
        continue;
      }
      const std::string name = item.key().substr(prefix);
      if (!targets.contains(name)) {
        unexpected_.emplace_back(name, item.value());
      }
    }
  }

  void throw_unless_fit() const {
    if (missing_.empty() && unexpected_.empty() && mismatches_.empty()) {
      return;
    }
    std::string message = "the state_dict does not fit the model:";
    for (const auto& [name, tensor] : missing_) {
      message += "\n  missing key: " + name + " " + shape_of(tensor) + near_name(name, tensor);
    }
    for (const auto& [name, tensor] : unexpected_) {
      message += "\n  unexpected key: " + text::printable(name) + " " + shape_of(tensor);
    }
    for (const std::string& mismatch : mismatches_) {
      message += "\n  " + mismatch;
    }
    Choice choice;
    if (const std::string prefix = common_prefix(); !prefix.empty()) {
      message += "\n  the file's names have one more prefix: " + text::quoted(prefix);
      choice = {Choice::Of::kPrefix, prefix};
    }
    throw InputError(message, choice);
  }

  void copy() const {
    const at::NoGradGuard no_grad;
    for (const auto& [target, source] : copies_) {
      at::Tensor(target).copy_(source);
    }
  }

 private:
  using Named = std::pair<std::string, at::Tensor>;

  void add_copy(const std::string& name, const at::Tensor& target, at::Tensor source) {
    if (target.dim() == 0 && source.dim() == 1 && source.numel() == 1) {
      source = source[0];  // a scalar of PyTorch 0.3
    }
    if (target.sizes() != source.sizes()) {
      mismatches_.push_back("shape mismatch: " + name + " is " + shape_of(source) + " in the file, " +
                            shape_of(target) + " in the model");
    } else if (source.is_complex() && !target.is_complex()) {
      mismatches_.push_back("dtype mismatch: " + name + " is complex in the file, real in the model");
    } else if (!can_convert(source.scalar_type(), target.scalar_type())) {
      mismatches_.push_back("dtype mismatch: " + name + " is " + dtype_of(source) +
                            " in the file, which LibTorch cannot convert to the model's " + dtype_of(target));
    } else {
      copies_.emplace_back(target, source);
    }
  }

  std::string near_name(const std::string& name, const at::Tensor& tensor) const {
    if (missing_.size() * unexpected_.size() > kMaxNamesCompared) {
      return "";
    }
    const Named* nearest = nullptr;
    std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const Named& candidate : unexpected_) {
      const bool may_be_nearer =
          candidate.second.sizes() == tensor.sizes() && candidate.first.size() < name.size() + least;
      const std::size_t d = may_be_nearer ? distance(name, candidate.first) : least;
      if (d < least) {
        least = d;
        nearest = &candidate;
      }
    }
    return nearest == nullptr ? "" : "; is it the file's " + text::printable(nearest->first) + "?";
  }

  // Under which all missing keys are in the file; empty: there is none.
  std::string common_prefix() const {
    if (missing_.empty() || unexpected_.size() != missing_.size()) {
      return "";
    }
    const std::string& name = unexpected_[0].first;
    for (std::size_t dot = name.find('.'); dot < kMaxPrefix; dot = name.find('.', dot + 1)) {
      const std::string prefix = name.substr(0, dot + 1);
      if (std::ranges::all_of(missing_, [&](const Named& named) { return sources_.contains(prefix + named.first); })) {
        return prefix;
      }
    }
    return "";
  }

  std::map<std::string, at::Tensor> sources_;
  std::vector<Named> missing_;
  std::vector<Named> unexpected_;
  std::vector<std::string> mismatches_;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies_;  // to, from
};

}  // namespace

void load_state_dict(torch::nn::Module& module, const StateDict& state_dict) {
  const Plan plan(state_dict_of(module), state_dict);
  plan.throw_unless_fit();
  require_unchanged(state_dict);
  plan.copy();
  require_unchanged(state_dict);
}

}  // namespace iris
