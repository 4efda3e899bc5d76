#pragma once

#include "graph/rewrite.h"

namespace seqgraph::ops {

/// Whether nothing but gradients of the lookup's table, all by its ids, read `dx`, the gradient of
/// the rows that it looks up.
bool OnlyTableReads(const RewriteContext& c, const Node& lookup, Value dx);

/// Lets `dtable` stand for all of these gradients.
void ReplaceTableGradients(RewriteContext& c, Value dx, Value dtable);

}  // namespace seqgraph::ops
