#ifndef SEQGRAPH_OPS_REWRITES_ALL_REWRITES_H_
#define SEQGRAPH_OPS_REWRITES_ALL_REWRITES_H_

#include "absl/types/span.h"
#include "graph/rewrite.h"

namespace seqgraph {

/// The rewrites of this folder, in the order in which they are tried. They are meant for a function
/// before it is differentiated: its gradients then come from the better form.
absl::Span<const Rewrite> StandardRewrites();

}  // namespace seqgraph

#endif  // SEQGRAPH_OPS_REWRITES_ALL_REWRITES_H_
