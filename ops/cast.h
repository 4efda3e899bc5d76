#pragma once

// Cast: y = x in another element type.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// x of any shape -> y of that shape. To a real type: rounded to nearest. From a real type to an
/// integer: truncated, NaN gives 0 and what is out of range the nearest limit. From int64 to int32:
/// the low 32 bits. The gradient passes between real types.
Value Cast(FunctionBuilder& g, Value x, DType dtype, std::string name = "");

}  // namespace seqgraph::ops
