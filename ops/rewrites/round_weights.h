#pragma once

#include "graph/pass.h"
#include "graph/weight_format.h"

namespace seqgraph::ops {

/// Dense(x, w) = Dense(x, RoundWeights(w)), to `format` (kBf16 or kInt8); so for w and u of the
/// recurrent cells and the table of Embedding, where they are variables, and those of the node more
/// than kFewWeights
///
/// What is computed changes by what rounding the weights does to it, so it is no standard pass: who
/// wants it asks for it (PassesWithWeights). It always pays, or costs nothing: the nodes follow
/// from variables alone and are kept between calls, and kernels that read what RoundWeights gives
/// pack it in that format. It is for inference: InvalidArgument for a function that updates
/// variables or has gradients of such ops.
FunctionPass RoundWeightsTo(WeightFormat format);

}  // namespace seqgraph::ops
