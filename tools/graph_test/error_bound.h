#ifndef SEQGRAPH_TOOLS_GRAPH_TEST_ERROR_BOUND_H_
#define SEQGRAPH_TOOLS_GRAPH_TEST_ERROR_BOUND_H_

#include "graph/function.h"
#include "serialization/graph_test_case.h"

namespace seqgraph {

/// How far any element of what `function` (static shapes) computes may be from its exact value when
/// real values have type `real`: n u s, where
///   u  is the unit roundoff, half of machine epsilon;
///   n  is the number of roundings that can lie on the way to one element. Each operation reads or
///      writes an element, so a node contributes at most the elements of its operands, and eight
///      for an elementary function (exp, tanh) that is not correctly rounded;
///   s  is the largest magnitude among inputs, variables and expected tensors, at least 1: what an
///      intermediate value may reach in a graph that does not amplify.
/// First order in u. Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
/// section 3.1. A case whose intermediate values are much larger states its own tolerance.
double GraphErrorBound(const Function& function, const GraphTestCase& test, DType real);

}  // namespace seqgraph

#endif  // SEQGRAPH_TOOLS_GRAPH_TEST_ERROR_BOUND_H_
