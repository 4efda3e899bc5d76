#pragma once

// TakeStep: y = x[:, step]   TakeStepGrad: dx[:, step] = dy, zero elsewhere.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// One step of a sequence: x [batch, time, ...] -> y [batch, ...]. A negative step counts from the
/// end: -1 is the last one. InvalidArgument (in the builder) if it is not in [-time, time).
Value TakeStep(FunctionBuilder& g, Value x, int64_t step, std::string name = "");

}  // namespace seqgraph::ops
