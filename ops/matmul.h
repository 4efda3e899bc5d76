#pragma once

// MatMul: y[.., i, j] = sum_k a[.., i, k] b[.., k, j].

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// a [..., m, k] and b [..., k, n] with the same extents in front -> y [..., m, n]. (Of one matrix
/// for all rows, where the backends are fast: Dense.)
Value MatMul(FunctionBuilder& g, Value a, Value b, std::string name = "");

}  // namespace seqgraph::ops
