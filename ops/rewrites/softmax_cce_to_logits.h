#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// CategoricalCrossEntropy(Softmax(z), labels, weights) = SoftmaxCrossEntropyWithLogits(z, labels,
/// weights)
///
/// An epsilon above 1e-6 is more than a guard against log 0: such a loss stays. Numerics: equal up
/// to rounding where nothing is clipped. Where the probability of the right class is below epsilon,
/// the form on probabilities is constant at -log(epsilon) with gradient 0, while the form on logits
/// keeps growing with the exact gradient softmax(z) - y.
Rewrite SoftmaxCCEToLogits();

}  // namespace seqgraph::ops
