#pragma once

// Step rules (OpDef::Steps, graph/stepping.h) that several ops share.

#include <functional>
#include <vector>

#include "graph/op_def.h"
#include "graph/stepping.h"

namespace seqgraph::ops {

/// An element of the outputs depends on the elements in its place alone; where shapes differ, they
/// are aligned at their last axes, and extents of 1 are repeated.
StepRule ElementwiseSteps();

/// Rows along the last axis of input 0, which each become a row (or none: [] of a row of one more
/// axis, as in a lookup); the other inputs are steady. `uses_last`: whether it looks along the last
/// axis, which must not be time then.
StepRule RowSteps(bool uses_last = true);

/// The axis of time, which all inputs that have steps, and the output, have in common.
StepRule SameAxisSteps();

/// Reductions by the attributes axes and keep_dims: over all axes but time.
StepRule ReductionSteps();

/// Windows over axis 1 of input 0 (graph/windows.h): none may reach steps that are not there yet.
/// `width` of a node; `pads_zero`: whether padding counts as steps of zeros.
StepRule WindowSteps(std::function<int64_t(const StepContext&)> width, bool pads_zero);

/// A recurrent cell (OpDef::Recurrent): its states go from call to call.
StepRule RecurrentSteps();

/// None: what the op gives depends on all steps.
StepRule RefuseAllSteps();

/// Input 0 with another shape, or permuted.
StepRule ReshapeSteps();
StepRule TransposeSteps();

}  // namespace seqgraph::ops
