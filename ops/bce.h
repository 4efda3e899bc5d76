#pragma once

// With w the weight of the element's row:
// BCE: loss = mean of -w (y log q + (1 - y) log(1 - q)) with q = min(max(p, epsilon), 1 - epsilon).
// BCEGrad: dp = dloss w / n (q - y) / (q (1 - q)) where p is not clipped, else 0.
// BCEWithLogits: loss = mean of w (max(z, 0) - z y + log(1 + exp(-|z|))), which is BCE(Sigmoid(z))
// without clipping. BCEWithLogitsGrad: dz = dloss w / n (sigmoid(z) - y).

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct BCEOptions {
  /// The shape of p without its last axis: multiplies the loss of each row. The mean still divides
  /// by the number of elements (as in Keras). Absent: ones.
  Value weights;
  double epsilon = 1e-7;  ///< in (0, 0.5); Keras's default
  std::string name;
};

/// Binary cross-entropy. p (probabilities) and labels (in [0, 1]) of one shape -> the mean over all
/// elements, a scalar. Each term and the sum are computed in double. InvalidArgument (in the
/// builder) for shapes that differ, an empty shape or an epsilon out of range.
Value BCE(FunctionBuilder& g, Value p, Value labels, const BCEOptions& options = {});

struct BCEWithLogitsOptions {
  Value weights;  ///< as for BCE
  std::string name;
};

/// Binary cross-entropy of sigmoid(z), exact for logits of any size. Shapes as for BCE.
Value BCEWithLogits(FunctionBuilder& g, Value z, Value labels,
                    const BCEWithLogitsOptions& options = {});

}  // namespace seqgraph::ops
