#pragma once

// y = f(a, b), element by element, of one shape: Add, Subtract, Multiply (builders:
// ops/elementwise.h), Divide, Power, Maximum, Minimum, Modulo, Remainder; Equal and Less, which
// give int32 1 or 0. Where: y = a where the condition is not 0, else b.

#include <string>
#include <vector>

#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph::ops {

/// a and b of one shape and element type -> y of that shape, by the name of an op of this file. All
/// take integers too. A run fails with InvalidArgument where an integer is divided by 0.
Value Binary(FunctionBuilder& g, const char* op, Value a, Value b, std::string name = "");

/// condition int32, a and b of one element type; all of one shape.
Value Where(FunctionBuilder& g, Value condition, Value a, Value b, std::string name = "");

std::vector<OpDef> BinaryOps();

}  // namespace seqgraph::ops
