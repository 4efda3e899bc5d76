#ifndef SEQGRAPH_OPS_RMSPROP_UPDATE_H_
#define SEQGRAPH_OPS_RMSPROP_UPDATE_H_

// RMSPropUpdate: v' = rho v + (1 - rho) g^2, d = v' + epsilon, w' = w - lr g / sqrt(d); centered:
// a' = rho a + (1 - rho) g, d = v' - a'^2 + epsilon; with momentum mu > 0: m' = mu m + lr g /
// sqrt(d), w' = w - m'.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct RMSPropUpdateOptions {
  Value m;  ///< the momentum slot, shape of w; needed if momentum > 0
  Value a;  ///< the mean gradient, shape of w; needed if centered
  double rho = 0.9;
  double momentum = 0;    ///< mu, in [0, 1]
  double epsilon = 1e-7;  ///< inside the root
  bool centered = false;
  std::string name;
};

struct RMSPropUpdateOutputs {
  Value new_w;
  Value new_v;
  Value new_m, new_a;  ///< of the type of w also where m or a is absent: zeros then
};

/// One step of RMSprop with Keras's formulas. w, gradient and v (the mean square) of one shape, lr
/// a scalar. InvalidArgument (in the builder) for shapes that do not fit, momentum without m,
/// centered without a. Source: keras/src/optimizers/rmsprop.py (Keras 3).
RMSPropUpdateOutputs RMSPropUpdate(FunctionBuilder& g, Value w, Value gradient, Value lr, Value v,
                                   const RMSPropUpdateOptions& options = {});

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_RMSPROP_UPDATE_H_
