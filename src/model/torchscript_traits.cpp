#include "model/torchscript_traits.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace iris {
namespace {

using torch::jit::AliasDb;
using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

void for_each_node(Block& block, const std::function<void(Node&)>& use) {
  for (Node* node : block.nodes()) {
    use(*node);
    for (Block* inner : node->blocks()) {
      for_each_node(*inner, use);
    }
  }
}

// All of forward as one graph, without what eval() leaves out: batch norm counts its batches in training only.
std::shared_ptr<Graph> program_of(const torch::jit::Module& module) {
  std::shared_ptr<Graph> graph = module.get_method("forward").graph()->copy();
  torch::jit::Inline(*graph);
  bool sets_training = false;
  std::vector<Node*> reads;
  for_each_node(*graph->block(), [&](Node& node) {
    const bool is_training = (node.kind() == c10::prim::SetAttr || node.kind() == c10::prim::GetAttr) &&
                             node.s(c10::attr::name) == "training";
    sets_training = sets_training || (is_training && node.kind() == c10::prim::SetAttr);
    if (is_training && node.kind() == c10::prim::GetAttr && node.output()->type() == c10::BoolType::get()) {
      reads.push_back(&node);
    }
  });
  for (Node* node : sets_training ? std::vector<Node*>() : reads) {
    const torch::jit::WithInsertPoint at(node);
    node->output()->replaceAllUsesWith(graph->insertConstant(false));
  }
  torch::jit::ConstantPropagation(graph);
  return graph;
}

// An operator of LibTorch's own, whose schema says what it writes.
bool is_known(const Node& node) {
  const std::string_view space = node.kind().ns().toUnqualString();
  return space == "prim" || space == "aten" || space == "quantized";
}

// What outlives a pass, or is taken out of something that may.
std::vector<const Value*> lasting_values(Graph& graph) {
  const auto inputs = graph.inputs();
  std::vector<const Value*> values(inputs.begin(), inputs.end());
  for_each_node(*graph.block(), [&](Node& node) {
    constexpr std::array<std::string_view, 8> kTakeOut = {"prim::GetAttr",    "prim::TupleUnpack", "prim::TupleIndex",
                                                          "prim::ListUnpack", "aten::__getitem__", "aten::get",
                                                          "aten::values",     "aten::items"};
    if (std::find(kTakeOut.begin(), kTakeOut.end(), node.kind().toQualString()) != kTakeOut.end()) {
      values.insert(values.end(), node.outputs().begin(), node.outputs().end());
    }
  });
  return values;
}

// Whether the operator writes into one of them.
bool writes_into(const Node& node, const std::vector<const Value*>& values, const AliasDb& aliases) {
  const c10::FunctionSchema* const schema = node.maybeSchema();
  if (schema == nullptr) {
    return false;
  }
  const auto& arguments = schema->arguments();
  for (std::size_t i = 0; i < std::min(arguments.size(), node.inputs().size()); ++i) {
    const auto* const alias = arguments[i].alias_info();
    if (alias != nullptr && alias->isWrite() && std::any_of(values.begin(), values.end(), [&](const Value* value) {
          return aliases.mayAlias(value, node.input(i));
        })) {
      return true;
    }
  }
  return false;
}

}  // namespace

NetworkTraits traits_of(const torch::jit::Module& module) {
  try {
    const std::shared_ptr<Graph> graph = program_of(module);
    const AliasDb aliases(graph);
    const auto values = lasting_values(*graph);
    NetworkTraits traits{.is_bounded = true};
    for_each_node(*graph->block(), [&](Node& node) {
      const auto kind = node.kind();
      const bool is_call = kind == c10::prim::CallMethod || kind == c10::prim::CallFunction || !is_known(node);
      traits.is_bounded = traits.is_bounded && kind != c10::prim::Loop && !is_call;
      traits.changes_itself = traits.changes_itself || is_call || kind == c10::prim::SetAttr ||
                              kind == c10::prim::fork || kind == c10::prim::awaitable ||
                              writes_into(node, values, aliases);
    });
    return traits;
  } catch (const std::exception&) {  // a program that LibTorch's analysis does not know
    return {.changes_itself = true};
  }
}

}  // namespace iris
