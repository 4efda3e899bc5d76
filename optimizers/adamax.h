#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// Adam with the largest recent |g| in place of the root of the mean square (Kingma and Ba 2015,
/// section 7).
struct Adamax {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("beta_1", &Adamax::beta_1, kDecay, "decay of the mean gradient");
    field("beta_2", &Adamax::beta_2, kDecay, "decay of the largest gradient");
    field("epsilon", &Adamax::epsilon, kNotNegative, "added to the largest gradient");
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const Adamax&);

}  // namespace seqgraph
