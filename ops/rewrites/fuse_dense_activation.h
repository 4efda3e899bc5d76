#pragma once

#include "graph/pass.h"

namespace seqgraph::ops {

/// act(Dense(x, w, b)) = Dense(x, w, b, act) where act is Tanh, Relu or Sigmoid and alone reads the
/// product
///
/// Saves writing and reading the product. The gradients need none of it: they read act's output.
/// Numerics: the same operations.
FunctionPass FuseDenseActivation();

}  // namespace seqgraph::ops
