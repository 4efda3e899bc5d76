#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// Adam's fields, and those of what is Adam with another default.
template <typename T, typename Visitor>
void VisitAdamFields(Visitor field) {
  field("beta_1", &T::beta_1, kDecay, "decay of the mean gradient");
  field("beta_2", &T::beta_2, kDecay, "decay of the mean square");
  field("epsilon", &T::epsilon, kNotNegative, "added to the root of the mean square");
  field("amsgrad", &T::amsgrad, kNotNegative, "divide by the largest mean square so far");
}

/// m and v are running means of g and g^2; w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m /
/// (sqrt(v) + epsilon). With amsgrad v is there the largest v so far (Reddi, Kale and Kumar 2018).
struct Adam {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    VisitAdamFields<Adam>(field);
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const Adam&);

}  // namespace seqgraph
