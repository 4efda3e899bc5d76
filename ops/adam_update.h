#ifndef SEQGRAPH_OPS_ADAM_UPDATE_H_
#define SEQGRAPH_OPS_ADAM_UPDATE_H_

// AdamUpdate: m' = m + (g - m) (1 - beta_1), v' = v + (g^2 - v) (1 - beta_2),
// alpha = lr sqrt(1 - beta_2^k) / (1 - beta_1^k) with k = t + 1, w' = w - m' alpha / (sqrt(v') +
// epsilon).

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct AdamUpdateOptions {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;  ///< outside the root
  std::string name;
};

struct AdamUpdateOutputs {
  Value new_w, new_m, new_v;  ///< shape of w
};

/// One step of Adam (Kingma & Ba 2015, the form at the end of section 2) as Keras does it. w,
/// gradient, m (mean gradient) and v (mean square) of one shape, lr a scalar, t (int64 scalar) the
/// number of steps done before. alpha is computed in double. InvalidArgument (in the builder) for
/// shapes that do not fit; a run fails with InvalidArgument if t is negative.
/// Source: keras/src/optimizers/adam.py (Keras 3).
AdamUpdateOutputs AdamUpdate(FunctionBuilder& g, Value w, Value gradient, Value lr, Value t,
                             Value m, Value v, const AdamUpdateOptions& options = {});

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_ADAM_UPDATE_H_
