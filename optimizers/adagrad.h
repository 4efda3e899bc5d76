#pragma once

#include "optimizers/optimizer.h"

namespace seqgraph {

/// a += g^2; w -= lr g / sqrt(a + epsilon): each element's steps become smaller with what it has
/// seen. Duchi, Hazan and Singer 2011.
struct Adagrad {
  double learning_rate = 1e-3;
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("initial_accumulator_value", &Adagrad::initial_accumulator_value, kNotNegative,
          "what the sums of squares start with");
    field("epsilon", &Adagrad::epsilon, kNotNegative, "added to the sum of squares");
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const Adagrad&);

}  // namespace seqgraph
