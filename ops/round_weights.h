#pragma once

// RoundWeights: y = the nearest to w that a format of fewer bits holds

#include <string>

#include "graph/function_builder.h"
#include "graph/weight_format.h"

namespace seqgraph::ops {

/// w of any shape with an axis -> y of that shape. `format`: kBf16 or kInt8. `axis`: each of its
/// indices, the row of weights that one output is computed from, has a scale of its own (kInt8):
/// the columns of [features, units], the rows of a table.
Value RoundWeights(FunctionBuilder& g, Value w, WeightFormat format, int64_t axis,
                   std::string name = "");

}  // namespace seqgraph::ops
