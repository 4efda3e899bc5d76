#ifndef SEQGRAPH_OPS_CONSTANT_H_
#define SEQGRAPH_OPS_CONSTANT_H_

// Constant: y = values.

#include <optional>
#include <string>

#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph::ops {

/// What a constant may hold where its elements differ: they are kept as text in an attribute.
inline constexpr int64_t kMaxConstantElements = 256;

/// A tensor with the given content, which takes no input. InvalidArgument (in the builder) if it is
/// not finite, has an integer of 2^53 or more, or more than kMaxConstantElements elements that are
/// not all equal.
Value Constant(FunctionBuilder& g, const Tensor& content, std::string name = "");

/// The attribute `values` for such a content; absent where Constant would refuse it.
std::optional<std::string> ConstantText(const Tensor& content);

OpDef ConstantOp();

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_CONSTANT_H_
