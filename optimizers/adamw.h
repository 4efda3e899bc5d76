#pragma once

#include "optimizers/adam.h"

namespace seqgraph {

/// Adam, and weights that decay by default (Loshchilov and Hutter 2019).
struct AdamW {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  GradientClipping clipping = {};
  double weight_decay = 0.004;

  template <typename Visitor>
  static void Fields(Visitor field) {
    VisitAdamFields<AdamW>(field);
  }
  static const OptimizerDef& Def();
};

extern template Optimizer::Optimizer(const AdamW&);

}  // namespace seqgraph
