#pragma once

// Embedding: y[..., e] = table[ids[...], e]   EmbeddingGrad: dtable[v, e] = sum of dy[..., e] where
// ids[...] = v.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// ids (int32, any shape), table [rows, width] -> y [shape of ids..., width]. A run fails with
/// InvalidArgument, naming position and value, for an id that is not in [0, rows).
Value Embedding(FunctionBuilder& g, Value ids, Value table, std::string name = "");

/// The gradient of the table, dense: ids and dy [shape of ids..., width] -> dtable [rows, width].
/// Rows of ids that occur more than once are summed, in the order of the ids; rows of ids that do
/// not occur are zero.
Value EmbeddingGrad(FunctionBuilder& g, Value ids, Value dy, int64_t rows, std::string name = "");

}  // namespace seqgraph::ops
