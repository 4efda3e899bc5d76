#pragma once

#include "graph/error_bound.h"

namespace seqgraph::ops {

/// A recurrence forward: RecurrenceBound (graph/bound_rules.h) of the largest output, x or table,
/// b, h0 or c0.
BoundRule RecurrentBound();

/// Backward: of the largest output or incoming gradient.
BoundRule RecurrentGradBound();

/// RecurrenceBound of this use, in eps of `scale`, which is the largest `of`.
ErrorBound RecurrenceRoundings(const BoundContext& c, bool backward, double scale,
                               absl::string_view of);

/// The largest incoming gradient: d_sequence, d_last, d_last_cell.
double LargestIncoming(const BoundContext& c);

}  // namespace seqgraph::ops
