#pragma once

// MSE: loss = mean over all elements of w (x - y)^2, where w is the weight of the element's row.
// MSEGrad: dx = 2 dloss w / n (x - y), n the number of elements.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct MSEOptions {
  /// The shape of x without its last axis: multiplies the loss of each row. The mean still divides
  /// by the number of elements (as in Keras). Absent: ones.
  Value weights;
  std::string name;
};

/// Mean squared error: x (predictions) and targets of one shape -> a scalar, computed in double.
Value MSE(FunctionBuilder& g, Value x, Value targets, const MSEOptions& options = {});

}  // namespace seqgraph::ops
