#pragma once

#include "absl/types/span.h"
#include "graph/pass.h"
#include "graph/rewrite.h"
#include "graph/weight_format.h"

namespace seqgraph {

/// The rewrites of this folder that are meant for a function before it is differentiated, in the
/// order in which they are tried: its gradients then come from the better form. They need no batch
/// size and no backend, so what they make is what a model file keeps.
absl::Span<const Rewrite> StandardRewrites();

/// The one list of passes, in the order in which they are tried, all of which
/// CompiledFunction::Compile runs unless it is told otherwise. They hold the rewrites above and
/// those that depend on sizes and on what the backends take.
const PassList& StandardPasses();

/// For inference with weights in fewer bits: the pass that rounds them to `format`
/// (ops/rewrites/round_weights.h), and then `passes`. kFloat32: `passes` alone.
PassList PassesWithWeights(WeightFormat format, const PassList& passes = StandardPasses());

}  // namespace seqgraph
