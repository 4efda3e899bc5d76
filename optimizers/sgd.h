#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// w -= lr g; with momentum m = momentum m - lr g; w += m, or with nesterov w += momentum m - lr g.
struct SGD {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("momentum", &SGD::momentum, kMomentum, "what is left of the step before");
    field("nesterov", &SGD::nesterov, kNotNegative, "look ahead by one more step of the momentum");
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const SGD&);

}  // namespace seqgraph
