#ifndef SEQGRAPH_OPS_CONSTANT_H_
#define SEQGRAPH_OPS_CONSTANT_H_

// Constant: y = values.

#include <string>

#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph::ops {

/// A tensor with the given content, which takes no input. InvalidArgument (in the builder) if there
/// is no ConstantText of it.
Value Constant(FunctionBuilder& g, const Tensor& content, std::string name = "");

OpDef ConstantOp();

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_CONSTANT_H_
