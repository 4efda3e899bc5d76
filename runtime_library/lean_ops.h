#pragma once

// Put before the sources of ops/ where they are compiled for the runtime library: what only tests,
// documentation and the making of models ask an op for is left out of its definition. That is two
// thirds of their code, and most of the time that a program would wait for them.

#include "graph/op_def.h"

namespace seqgraph::ops {

/// Instead of examples and samples: the one example that the registry insists on.
void OneExample(OpDef& op);
/// Instead of what may be missing.
inline constexpr auto kLeftOut = [](OpDef&) {};
/// Instead of the error bound, which no backend asks for.
absl::StatusOr<ErrorBound> NoBound(const BoundContext& context, int output);

}  // namespace seqgraph::ops

#define Bound(...) Bound(::seqgraph::ops::NoBound)
#define Cost(formula, ...) Cost("", __VA_ARGS__)
#define Doc(...) Doc("See docs/ops.md.")
#define Example(...) With(::seqgraph::ops::OneExample)
#define Gradient(...) With(::seqgraph::ops::kLeftOut)
#define Reject(...) With(::seqgraph::ops::kLeftOut)
#define RejectAlso(...) With(::seqgraph::ops::kLeftOut)
#define Samples(...) With(::seqgraph::ops::OneExample)
