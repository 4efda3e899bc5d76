#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// Dense(x, w, b, sigmoid), read by BCE as its p, = Sigmoid(Dense(x, w, b))
/// BCE(Sigmoid(z), labels) = BCEWithLogits(z, labels)
///
/// The first uncovers the logits for the second; where the probability is read otherwise too, it
/// stays, as Sigmoid of the same z. An epsilon above 1e-6 is more than a guard against log 0: such
/// a BCE stays. Numerics: equal up to rounding where BCE does not clip. Where it does (|z| beyond
/// log(1 / epsilon - 1), 16.1 for the default), BCE is constant at -log(epsilon) with gradient 0,
/// while the form on logits grows like |z| and keeps the exact gradient sigmoid(z) - y: what
/// cross-entropy means, and what Keras computes where it finds the sigmoid. A loss in float64 on a
/// float32 sigmoid near 1 cannot see 1 - p better than 6e-8; on logits it can.
Rewrite SplitDenseSigmoid();
Rewrite SigmoidBCEToLogits();

}  // namespace seqgraph::ops
