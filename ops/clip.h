#pragma once

// Clip: y = min(max(x, -limit), limit).
// ClipByNorm: y = x limit / max(sqrt(s), limit), where s is a squared norm.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// x of any shape, each element brought into [-limit, limit]; limit > 0 and finite. NaN stays NaN.
Value Clip(FunctionBuilder& g, Value x, double limit, std::string name = "");

/// x of any shape, made shorter where the norm sqrt(squared_norm) is above limit: with
/// squared_norm = sum of x^2 the norm of y is at most limit; with the sum over several tensors,
/// theirs together is. squared_norm: a scalar. limit > 0 and finite.
Value ClipByNorm(FunctionBuilder& g, Value x, Value squared_norm, double limit,
                 std::string name = "");

}  // namespace seqgraph::ops
