#ifndef SEQGRAPH_OPS_ELU_H_
#define SEQGRAPH_OPS_ELU_H_

// Elu: y = x where x > 0, alpha (exp(x) - 1) elsewhere.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// The exponential linear unit of x of any shape, element by element; `alpha`, which must be
/// finite, is how far below 0 it goes. NaN stays NaN. Source: Clevert, Unterthiner and Hochreiter,
/// Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016.
Value Elu(FunctionBuilder& g, Value x, double alpha = 1, std::string name = "");

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_ELU_H_
