#pragma once

// y = f(x), element by element: Abs, Negative, Sign, Exp, Log, Sqrt, Reciprocal, Erf, Softplus,
// Sigmoid, Tanh, Relu, Floor, Ceil, Round.

#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph::ops {

/// x of any shape -> y of that shape, by the name of an op of this file. Abs, Negative and Sign
/// take integers too.
Value Unary(FunctionBuilder& g, const char* op, Value x, std::string name = "");

std::vector<OpDef> UnaryOps();

}  // namespace seqgraph::ops
