#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// f(constants) = Constant, where a constant is what Constant or FillLike gives
///
/// Computed by the reference of f, so in the type of the function and within the bounds of f. It
/// applies to shapes that are static, to pure ops, to operands of at most 65536 elements, and to
/// results that a Constant can hold: finite, and few or all equal. What fails (an index out of
/// range) is left to fail when it runs.
Rewrite ConstantFolding();

}  // namespace seqgraph::ops
