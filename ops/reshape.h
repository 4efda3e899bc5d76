#pragma once

// Reshape: y has the elements of x, in row-major order, in another shape.
// Transpose: y[i_perm[0], i_perm[1], ..] = x[i_0, i_1, ..].

#include <cstdint>
#include <string>
#include <vector>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// The elements of x in `shape`, which has as many. If x has the batch among its extents, so must
/// `shape`. InvalidArgument (in the builder) if the numbers of elements differ.
Value Reshape(FunctionBuilder& g, Value x, const Shape& shape, std::string name = "");

/// Axis i of the result is axis permutation[i] of x.
Value Transpose(FunctionBuilder& g, Value x, std::vector<int64_t> permutation,
                std::string name = "");

}  // namespace seqgraph::ops
