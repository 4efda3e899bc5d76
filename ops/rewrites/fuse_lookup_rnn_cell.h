#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// RNNCell(Embedding(ids, t), -, u, ...) = LookupRNNCell(ids, t, u, ...), and so LSTMCell and
/// GRUCell
///
/// The looked-up sequence, [batch, time, units] for each gate, never exists. Numerics: the same
/// operations in the same order; an id out of range is an error in both forms. Where a gradient of
/// the cell cannot be fused, nothing is replaced: the two would no longer be a pair.
///
/// Pays only where one kernel computes the fused op; elsewhere it is the same work under another
/// name, so it is not one of StandardRewrites().
Rewrite FuseLookupRNNCell();

/// EmbeddingGrad(ids, dx of RNNCellGrad(Embedding(ids, t), -, u, ...)) and the other outputs of
/// that RNNCellGrad = LookupRNNCellGrad(ids, t, u, ...), and so the others' gradients
///
/// The gradient of the looked-up sequence never exists. Where dx is read otherwise too, nothing is
/// replaced.
Rewrite FuseLookupRNNCellGrad();

}  // namespace seqgraph::ops
