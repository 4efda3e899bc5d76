#ifndef SEQGRAPH_OPS_SGD_UPDATE_H_
#define SEQGRAPH_OPS_SGD_UPDATE_H_

// SGDUpdate: w' = w - lr g; with momentum mu > 0: m' = mu m - lr g, w' = w + m', and with Nesterov
// w' = w + mu m' - lr g.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct SGDUpdateOptions {
  Value m;              ///< the momentum slot, shape of w; needed if momentum > 0
  double momentum = 0;  ///< mu, in [0, 1]
  bool nesterov = false;
  std::string name;
};

struct SGDUpdateOutputs {
  Value new_w;
  Value new_m;  ///< of the type of w also where m is absent: zeros then
};

/// One step of stochastic gradient descent with Keras's formulas. w and g of one shape, lr a
/// scalar. InvalidArgument (in the builder) for shapes that do not fit, momentum without m.
/// Source: keras/src/optimizers/sgd.py (Keras 3).
SGDUpdateOutputs SGDUpdate(FunctionBuilder& g, Value w, Value gradient, Value lr,
                           const SGDUpdateOptions& options = {});

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_SGD_UPDATE_H_
