#ifndef SEQGRAPH_OPS_BCE_H_
#define SEQGRAPH_OPS_BCE_H_

// BCE: loss = mean of -(y log q + (1 - y) log(1 - q)) with q = min(max(p, epsilon), 1 - epsilon).
// BCEGrad: dp = dloss / n (q - y) / (q (1 - q)) where p is not clipped, else 0.
// BCEWithLogits: loss = mean of max(z, 0) - z y + log(1 + exp(-|z|)), which is BCE(Sigmoid(z))
// without clipping. BCEWithLogitsGrad: dz = dloss / n (sigmoid(z) - y).

#include <string>

#include "graph/function_builder.h"
#include "graph/op_def.h"

namespace seqgraph::ops {

struct BCEOptions {
  double epsilon = 1e-7;  ///< in (0, 0.5); Keras's default
  std::string name;
};

/// Binary cross-entropy. p (probabilities) and labels (in [0, 1]) of one shape -> the mean over all
/// elements, a scalar. Each term and the sum are computed in double. InvalidArgument (in the
/// builder) for shapes that differ, an empty shape or an epsilon out of range.
Value BCE(FunctionBuilder& g, Value p, Value labels, const BCEOptions& options = {});

/// Its gradient, from that of the loss (a scalar): 0 where p is clipped.
Value BCEGrad(FunctionBuilder& g, Value p, Value labels, Value dloss,
              const BCEOptions& options = {});

/// Binary cross-entropy of sigmoid(z), exact for logits of any size. Shapes as for BCE.
Value BCEWithLogits(FunctionBuilder& g, Value z, Value labels, std::string name = "");

/// Its gradient, from that of the loss (a scalar).
Value BCEWithLogitsGrad(FunctionBuilder& g, Value z, Value labels, Value dloss,
                        std::string name = "");

OpDef BCEOp();
OpDef BCEGradOp();
OpDef BCEWithLogitsOp();
OpDef BCEWithLogitsGradOp();

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_BCE_H_
