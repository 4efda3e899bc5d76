#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// Adam with Nesterov's look-ahead, and a momentum that grows to beta_1 over the steps (Dozat
/// 2016).
struct Nadam {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("beta_1", &Nadam::beta_1, kDecay, "decay of the mean gradient");
    field("beta_2", &Nadam::beta_2, kDecay, "decay of the mean square");
    field("epsilon", &Nadam::epsilon, kNotNegative, "added to the root of the mean square");
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const Nadam&);

}  // namespace seqgraph
