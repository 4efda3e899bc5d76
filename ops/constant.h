#pragma once

// Constant: y = value.

#include <string>

#include "graph/function_builder.h"
#include "graph/tensor.h"

namespace seqgraph::ops {

/// A tensor with the given content, bit for bit, which takes no input.
Value Constant(FunctionBuilder& g, Tensor content, std::string name = "");

}  // namespace seqgraph::ops
