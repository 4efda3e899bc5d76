#pragma once

// Masks are int32 [batch, time]; 0 marks a masked step. So tokens are their own mask where 0 pads
// (Keras's mask_zero).
// SequenceMask: mask[n, t] = 1 where t < lengths[n], else 0.
// ZeroMasked: y[n, t, ..] = x[n, t, ..] where mask[n, t] is not 0, else 0.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// lengths (int32 [batch]) -> the mask of sequences that begin at t = 0 and have these lengths:
/// int32 [batch, time]. A length that is not in [0, time] fails the run.
Value SequenceMask(FunctionBuilder& g, Value lengths, int64_t time, std::string name = "");

/// x [batch, time, ...] with zeros at masked steps (Keras's zero_output_for_mask; what ONNX has
/// behind the end of a sequence).
Value ZeroMasked(FunctionBuilder& g, Value x, Value mask, std::string name = "");

}  // namespace seqgraph::ops
