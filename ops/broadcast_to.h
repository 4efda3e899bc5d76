#pragma once

// BroadcastTo: y[.., i, ..] = x[.., i, ..], or x[.., 0, ..] along an axis where x has extent 1: the
// broadcasting of numpy. (BroadcastLike brings in the batch, which no attribute can name.)

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// The axes of x are the last ones of y; in front of them x counts as having extent 1. `shape` may
/// have the batch only where x has it. InvalidArgument (in the builder) if x does not fit.
Value BroadcastTo(FunctionBuilder& g, Value x, const Shape& shape, std::string name = "");

}  // namespace seqgraph::ops
