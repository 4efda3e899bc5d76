#ifndef SEQGRAPH_OPS_GATHER_H_
#define SEQGRAPH_OPS_GATHER_H_

// Gather: y[a.., i.., b..] = x[a.., indices[i..], b..], where a has `axis` axes.
// GatherGrad: dx[a.., v, b..] = sum of dy[a.., i.., b..] where indices[i..] = v.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// indices (int32, any shape) take slices of x along `axis`, which is not the batch; a negative one
/// counts from the end. A run fails with InvalidArgument, naming position and value, for one that
/// is not in [-extent, extent). (Rows of a table, where the backends are fast: Embedding.)
Value Gather(FunctionBuilder& g, Value x, Value indices, int64_t axis, std::string name = "");

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_GATHER_H_
