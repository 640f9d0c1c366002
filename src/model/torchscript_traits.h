// What a TorchScript module does while it runs, read from its program.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include "model/network.h"

namespace iris {

// module: in eval(), with a forward. What cannot be told counts as changing itself, and as not bounded. A module that
// writes into its input counts as changing itself too.
NetworkTraits traits_of(const torch::jit::Module& module);

}  // namespace iris
