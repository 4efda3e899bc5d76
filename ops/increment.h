#ifndef SEQGRAPH_OPS_INCREMENT_H_
#define SEQGRAPH_OPS_INCREMENT_H_

// Increment: new_t = t + 1.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// t (int64, any shape) -> t + 1. A run fails with InvalidArgument if that does not fit in 64 bits.
Value Increment(FunctionBuilder& g, Value t, std::string name = "");

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_INCREMENT_H_
