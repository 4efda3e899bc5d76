#pragma once

// ReduceMax: y = the largest x over axes   ReduceMin: the smallest   ReduceProd: the product.

#include "graph/function_builder.h"
#include "ops/reductions.h"

namespace seqgraph::ops {

/// x of any shape -> y of that shape without the axes (see ReduceOptions), none of which is empty.
/// NaN where one is among the terms. Terms that share an extremum share its gradient.
Value ReduceMin(FunctionBuilder& g, Value x, const ReduceOptions& options);

}  // namespace seqgraph::ops
