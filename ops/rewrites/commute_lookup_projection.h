#pragma once

#include "graph/pass.h"

namespace seqgraph::ops {

/// With p = Dense(t, w, b), where t is a table of rows and ids index it:
///
///   RNNCell(Embedding(ids, t), w, u, ...) = RNNCell(Embedding(ids, p), projected, u, ...) without
///     b in p, and so LSTMCell and GRUCell
///   Dense(Embedding(ids, t), w, b, act) = Embedding(ids, Dense(t, w, b, act))
///   RNNCellGrad(Embedding(ids, t), w, ...): dp = EmbeddingGrad(ids, dz) with dz from RNNCellGrad
///     of the projected form, then dt, dw = DenseGrad(t, w, dp)
///   DenseGrad(Embedding(ids, t), w, dz): likewise
///
/// The gradients' rules apply where dx is read by EmbeddingGrad of the same ids alone, or not at
/// all. A projection takes 2 rows features units FLOPs instead of 2 batch time features units, and
/// the table that is looked up is units wide instead of features: the pass fires where that is
/// cheaper for the whole function, roughly where the table has fewer rows than ids are looked up.
/// Forward and gradient are right without each other; together they save the lookup of t.
/// Numerics: forward each element is the same sum in the same order. In the gradients, rows of dz
/// that have one id are summed before they are multiplied by w or t, instead of after: the same
/// terms in another order.
FunctionPass CommuteLookupProjection();

}  // namespace seqgraph::ops
