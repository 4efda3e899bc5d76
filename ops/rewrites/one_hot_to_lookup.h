#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// RNNCell(OneHot(ids), w, u, ...) = RNNCell(Embedding(ids, w), projected, u, ...), and so LSTMCell
///   and GRUCell
/// Dense(OneHot(ids), w, b, act) = act(Embedding(ids, w) + b)
///
/// A product with a one-hot row is a row of the matrix, so the one-hot array never exists.
/// Numerics: the same bits for finite weights, but for the sign of a zero: the product adds only
/// zeros to the row. A weight that is infinite or NaN spoils every row of a product (0 · inf =
/// NaN), but only its own row of a lookup. An id out of range is an error in both forms.
Rewrite RNNCellOneHotToLookup();
Rewrite DenseOneHotToLookup();

}  // namespace seqgraph::ops
