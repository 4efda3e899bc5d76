#pragma once

// Softmax, along the last axis: y_k = exp(x_k - m) / sum_j exp(x_j - m), m = max_j x_j.
// SoftmaxGrad: dx_k = y_k (dy_k - sum_j y_j dy_j).

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// Softmax along the last axis, which must have at least one element. Nothing overflows.
Value Softmax(FunctionBuilder& g, Value x, std::string name = "");

}  // namespace seqgraph::ops
