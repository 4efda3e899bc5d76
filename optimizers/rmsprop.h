#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon); centered: v less the square of the
/// running mean of g; with momentum the steps are accumulated.
struct RMSProp {
  double learning_rate = 1e-3;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("rho", &RMSProp::rho, kDecay, "decay of the running means");
    field("momentum", &RMSProp::momentum, kMomentum, "what is left of the step before");
    field("epsilon", &RMSProp::epsilon, kNotNegative, "added to the mean square, inside the root");
    field("centered", &RMSProp::centered, kNotNegative, "divide by the standard deviation");
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const RMSProp&);

}  // namespace seqgraph
