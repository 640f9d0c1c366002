#include "tensor_file/candidates.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "tensor_file/containers.h"
#include "tensor_file/members.h"
#include "tensor_file/selection.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

constexpr std::size_t kMostKeys = 20;
constexpr std::size_t kLongestKey = 200;
// Values in containers that stand in many places. A small file may have one dict in a million places.
constexpr std::size_t kMostMetAgain = 100'000;

// What training loops call these, in any case of letters.
constexpr std::string_view kTrainingWords[] = {"optimizer", "optim_state",  "scheduler",
                                               "rng",       "random_state", "amp_scaler"};
constexpr std::string_view kTrainingNames[] = {"optim", "optims", "opt", "opts", "opt_state", "sched", "scaler"};

bool is_training_name(std::string_view name) {
  std::string lower(name.substr(0, kLongestKey));
  std::ranges::transform(lower, lower.begin(), [](unsigned char each) { return std::tolower(each); });
  return std::ranges::any_of(kTrainingWords,
                             [&](std::string_view word) { return lower.find(word) != std::string::npos; }) ||
         std::ranges::find(kTrainingNames, lower) != std::end(kTrainingNames) || lower.ends_with("_opt") ||
         lower.starts_with("opt_") || lower.ends_with("_optim");
}

// What Module.get_extra_state gave belongs to the state_dict that it stands in.
bool is_extra_state(std::string_view name) { return name == "_extra_state" || name.ends_with("._extra_state"); }

}  // namespace

Candidates::Candidates(const TensorFile& file) : file_(file) {
  const pickle::Document& document = file.document;
  const auto is_optimizer = [&](Value value) {  // torch/optim/optimizer.py, Optimizer.state_dict
    return value.is_dict() && document.find(value, "param_groups") != nullptr &&
           document.find(value, "state") != nullptr;
  };
  std::unordered_set<std::uint32_t> met = {file.root.has_items() ? file.root.index : ~0U};
  std::size_t room = kMostMetAgain;
  const auto may_enter = [&](Value value) {
    if (met.insert(value.index).second) {
      return true;
    }
    const std::size_t size = value.kind == Kind::kObject ? room + 1 : document.items(value).size() + 1;
    const bool fits = size <= room;
    room -= fits ? size : 0;
    return fits;
  };
  nodes_.push_back({.value = file.root, .key = {}, .is_training_state = is_optimizer(file.root)});
  std::vector<std::size_t> pending = {0};
  while (!pending.empty()) {
    const std::size_t at = pending.back();
    pending.pop_back();
    order_.push_back(at);
    const Value value = nodes_[at].value;
    const bool is_object = value.kind == Kind::kObject;
    const Value pairs = is_object ? document.object(value).pairs : Value{};
    const bool is_dictionary = value.is_dict() || pairs.kind != Kind::kNone;
    const std::size_t pair_count = document.entries(pairs).size();
    const std::size_t first_child = nodes_.size();
    std::size_t number = 0;
    for (const auto& [key, inner] : members(document, value)) {
      const bool is_attribute = is_object && number++ >= pair_count;
      const TensorRecord* tensor = file.tensor(inner);
      if (tensor != nullptr || !why_no_tensor(file, inner).empty()) {
        const bool is_array = tensor != nullptr && file.storages[tensor->storage].key == kNumpyKey;
        if (is_dictionary || is_attribute) {
          nodes_[at].holds = std::max(nodes_[at].holds, is_array ? Holds::kArrays : Holds::kTensors);
        }
        nodes_[at].is_in_object |= is_attribute && !is_dictionary;
        continue;
      }
      const std::string_view name = key.kind == Kind::kString ? document.text(key) : std::string_view();
      if (inner.has_items() && !is_extra_state(name) && may_enter(inner)) {
        const bool is_training_state = nodes_[at].is_training_state || is_training_name(name) || is_optimizer(inner);
        nodes_.push_back({.value = inner,
                          .key = key,
                          .parent = at,
                          .is_training_state = is_training_state,
                          .is_in_object = nodes_[at].is_in_object || is_attribute});
      }
    }
    for (std::size_t child = nodes_.size(); child-- > first_child;) {
      pending.push_back(child);
    }
  }
}

Candidates::Nodes Candidates::inner(bool are_models) const {
  const auto of = [&](Holds least, bool in_objects) {
    Nodes nodes;
    std::ranges::copy_if(order_, std::back_inserter(nodes), [&](std::size_t at) {
      const Node& node = nodes_[at];
      return at != 0 && node.holds >= least && !(are_models && node.is_training_state) &&
             (in_objects || !node.is_in_object);
    });
    return nodes;
  };
  Nodes nodes = of(Holds::kTensors, /*in_objects=*/false);
  if (nodes.empty() && nodes_[0].holds != Holds::kTensors) {
    nodes = of(Holds::kArrays, /*in_objects=*/false);
    if (nodes.empty() && nodes_[0].holds == Holds::kNothing) {
      nodes = of(Holds::kArrays, /*in_objects=*/true);
    }
  }
  return nodes;
}

Candidates::Nodes Candidates::within(std::size_t outer, const Nodes& nodes) const {
  Nodes inner;
  std::ranges::copy_if(nodes, std::back_inserter(inner), [&](std::size_t at) {
    while (at > outer) {  // a parent comes before its children
      at = nodes_[at].parent;
    }
    return at == outer;
  });
  return inner;
}

std::size_t Candidates::root_member(std::string_view name) const {
  for (std::size_t at = 1; at < nodes_.size() && nodes_[at].parent == 0; ++at) {
    if (nodes_[at].key.kind == Kind::kString && file_.document.text(nodes_[at].key) == name) {
      return at;
    }
  }
  return 0;
}

std::vector<Value> Candidates::path(std::size_t node) const {
  std::vector<Value> path;
  for (; node != 0; node = nodes_[node].parent) {
    path.push_back(nodes_[node].key);
  }
  std::ranges::reverse(path);
  return path;
}

std::string Candidates::shown_key(std::size_t node) const {
  std::string key;
  for (const Value part : path(node)) {
    if (key.size() > kLongestKey) {
      break;
    }
    const std::string_view text = part.kind == Kind::kString ? file_.document.text(part) : std::string_view();
    key += (key.empty() ? "" : ".") +
           (text.empty() ? key_text(file_.document, part) : std::string(text.substr(0, kLongestKey + 1)));
  }
  return text::printable(key, kLongestKey);
}

std::string Candidates::shown_keys(const Nodes& nodes) const {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < std::min(nodes.size(), kMostKeys); ++i) {
    keys.push_back(shown_key(nodes[i]));
  }
  return text::joined(keys) + (nodes.size() > kMostKeys ? ", …" : "");
}

}  // namespace iris
