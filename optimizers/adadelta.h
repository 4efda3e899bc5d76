#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// The step is the gradient times the ratio of two running root mean squares, of the steps before
/// and of the gradients; lr scales it (1 in the paper: Zeiler 2012).
struct Adadelta {
  double learning_rate = 1e-3;
  double rho = 0.95;
  double epsilon = 1e-7;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("rho", &Adadelta::rho, kDecay, "decay of the running means");
    field("epsilon", &Adadelta::epsilon, kNotNegative, "added to the mean squares");
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const Adadelta&);

}  // namespace seqgraph
