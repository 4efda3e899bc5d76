#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// TakeStep(sequence, -1) = last, for sequence and last of one RNNCell
///
/// So the sequence need not be written if nobody else reads it, and before differentiation the
/// gradient comes in at the last step alone. Numerics: the same bits.
Rewrite LastStateOfSequence();

/// RNNCellGrad(..., d_sequence = TakeStepGrad(dy, -1), d_last) =
///     RNNCellGrad(..., d_last = dy + d_last)
///
/// The same for a function that has been differentiated before. Numerics: the same bits, for the
/// other steps add zeros; a gradient of -0 there may become +0.
Rewrite GradientOfLastState();

}  // namespace seqgraph::ops
