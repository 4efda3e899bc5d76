#ifndef SEQGRAPH_OPS_SOFTPLUS_H_
#define SEQGRAPH_OPS_SOFTPLUS_H_

// Softplus: y = log(1 + exp(x)).

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// log(1 + exp(x)), element by element, for x of any shape: a smooth max(x, 0). Exact for x of any
/// size; NaN stays NaN. Source: Dugas et al., Incorporating second-order functional knowledge,
/// 2001.
Value Softplus(FunctionBuilder& g, Value x, std::string name = "");

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_SOFTPLUS_H_
