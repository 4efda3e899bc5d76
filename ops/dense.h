#pragma once

// Dense: y = act(x·w + b)   DenseGrad: dx = dz·wᵀ, dw = xᵀ·dz, db = sum of dz over all rows.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct DenseOptions {
  Value bias;                       ///< [units]; absent: zero
  std::string activation = "none";  ///< "none", "tanh", "relu" or "sigmoid"
  std::string name;
};

/// x [..., features], w [features, units] -> y [..., units]. InvalidArgument (in the builder) for
/// shapes that do not fit or another activation.
Value Dense(FunctionBuilder& g, Value x, Value w, const DenseOptions& options = {});

struct DenseGradOutputs {
  Value dx;  ///< [..., features]
  Value dw;  ///< [features, units]
  Value db;  ///< [units]
};

/// The gradients of x·w + b from that of the sum before the activation, dz [..., units]. An output
/// that nobody reads costs nothing.
DenseGradOutputs DenseGrad(FunctionBuilder& g, Value x, Value w, Value dz, std::string name = "");

}  // namespace seqgraph::ops
