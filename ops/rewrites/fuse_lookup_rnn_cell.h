#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// RNNCell(Embedding(ids, t), -, u, b, h0, mask) = LookupRNNCell(ids, t, u, b, h0, mask)
///
/// The looked-up sequence [batch, time, units] never exists. Numerics: the same operations in the
/// same order; an id out of range is an error in both forms.
///
/// Pays only where one kernel computes the fused op; elsewhere it is the same work under another
/// name, so it is not one of StandardRewrites().
Rewrite FuseLookupRNNCell();

/// EmbeddingGrad(ids, dx of RNNCellGrad(Embedding(ids, t), -, u, b, h0, ...)) and the other outputs
/// of that RNNCellGrad = LookupRNNCellGrad(ids, t, u, b, h0, ...)
///
/// The gradient of the looked-up sequence never exists. Where dx is read otherwise too, nothing is
/// replaced.
Rewrite FuseLookupRNNCellGrad();

}  // namespace seqgraph::ops
