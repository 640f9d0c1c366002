// The dictionaries of tensors in a file, for selection.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tensor_file/tensor_file.h"

namespace iris {

// Every container that the root leads to, at each path to it; objects, and containers in very many places, at the
// first.
class Candidates {
 public:
  explicit Candidates(const TensorFile& file);

  // Numbers of nodes.
  using Nodes = std::vector<std::size_t>;

  // The dictionaries that themselves hold tensors, in the file's order. `are_models`: without those of optimizers,
  // schedulers and random states. Where there are none, and none in the root itself: those of NumPy arrays; else those
  // among the attributes of objects. Never the root.
  Nodes inner(bool are_models) const;

  // Those of them that lie within the node, itself included.
  Nodes within(std::size_t node, const Nodes& nodes) const;

  // The root's member of that name; 0 where there is none.
  std::size_t root_member(std::string_view name) const;

  bool root_holds_tensors() const { return nodes_[0].holds != Holds::kNothing && !nodes_[0].is_training_state; }

  pickle::Value value(std::size_t node) const { return nodes_[node].value; }
  std::vector<pickle::Value> path(std::size_t node) const;
  // Of a message: printable, and cut.
  std::string shown_key(std::size_t node) const;
  std::string shown_keys(const Nodes& nodes) const;

 private:
  enum class Holds { kNothing, kArrays, kTensors };
  struct Node {
    pickle::Value value;
    pickle::Value key;       // in its parent
    std::size_t parent = 0;  // the root's is the root
    Holds holds = Holds::kNothing;
    bool is_training_state = false;  // of an optimizer, a scheduler or a random generator
    bool is_in_object = false;       // among its attributes
  };

  const TensorFile& file_;
  std::vector<Node> nodes_;
  Nodes order_;  // depth first, as the file has them
};

}  // namespace iris
