#pragma once

#include "graph/pass.h"

namespace seqgraph::ops {

/// f(g(x), y) = FusedElementwise(x, y; "g x0; f t0 x1") where f and g compute element by element,
/// on one shape, and f alone reads g(x); f(BroadcastLike(s), y) = FusedElementwise(s, y; "f x0 x1")
/// for one number s
///
/// Saves writing and reading g(x), and a call. Grows step by step, up to the limits of
/// ElementwiseProgram. FillLike takes part as a constant. Numerics: the same operations in the same
/// order.
FunctionPass FuseElementwise();

}  // namespace seqgraph::ops
