#pragma once

// The recurrence in plain loops, for the two cases that the primitive cannot serve.

#include <cstddef>

#include "backends/onednn/rnn_primitive.h"

namespace seqgraph::onednn {

/// Computes y alone (columns beyond the units are left as they are), with every NaN and Inf where
/// the formula has it. Layouts as in RnnForwardArgs, rows of y `y_width` wide.
void RnnForwardLoops(const RnnConfig& config, int64_t y_width, const RnnForwardArgs& args);

/// Bytes of scratch for RnnBackwardLoops.
size_t RnnBackwardLoopsScratch(const RnnConfig& config);

/// Gradients by back-propagation through time from any y, not only one that a primitive computed:
///   dz_t = act'(y_t) (dy_t + u dz_{t+1});  dx_t = w dz_t;  dw, du, db = sums over steps and batch.
/// Everything here is dense, unpadded and batch-major: x, dx [batch, time, features], y, dy [batch,
/// time, units]; any result may be null. `args.workspace` is not used, `args.b` neither.
void RnnBackwardLoops(const RnnConfig& config, const RnnBackwardArgs& args);

}  // namespace seqgraph::onednn
