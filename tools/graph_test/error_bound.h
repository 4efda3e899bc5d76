#ifndef SEQGRAPH_TOOLS_GRAPH_TEST_ERROR_BOUND_H_
#define SEQGRAPH_TOOLS_GRAPH_TEST_ERROR_BOUND_H_

#include "graph/function.h"
#include "serialization/graph_test_case.h"

namespace seqgraph {

/// GraphErrorBound (graph/node_bounds.h) with the scale that the case shows: the largest
/// magnitude among inputs, variables and expected tensors, at least 1. A case whose intermediate
/// values are much larger states its own tolerance.
double GraphErrorBound(const Function& function, const GraphTestCase& test, DType real);

}  // namespace seqgraph

#endif  // SEQGRAPH_TOOLS_GRAPH_TEST_ERROR_BOUND_H_
