#pragma once

// What the definitions of reductions over axes have in common: attributes, shape rules, the walk
// over the elements, samples.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "graph/op_def.h"
#include "ops/shape_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {

using Axes = std::vector<int64_t>;

inline const Axes& AxesOf(const Attributes& attributes) { return attributes.GetInts("axes"); }

bool Contains(const Axes& axes, int axis);

/// Violation of C1 unless the axes are ascending and in [0, rank of `shape`), which is that of the
/// operand `name`.
absl::Status CheckAxes(const Axes& axes, absl::string_view name, const Shape& shape);

/// Violation if one of the axes has extent 0; `what` needs at least one term.
absl::Status CheckNotEmpty(absl::string_view label, absl::string_view what, const Axes& axes,
                           const Shape& shape);

/// `shape` without the axes, or with extent 1 in their places.
Shape Without(const Axes& axes, const Shape& shape, bool keep_dims);

/// The type of x without the attribute axes, or with extent 1 in their places (keep_dims). C1.
Types ReducedShape(const ShapeContext& c);

/// Where the elements of a tensor of that shape lie in the one that it is reduced to, or repeated
/// from.
Strided Reduced(const Shape& shape, const Axes& axes);

Axes RandomAxes(SampleSource& source, const Shape& shape);

/// An op with the input x, the output y, the attributes axes and keep_dims, and C1.
OpDef ReductionDef(std::string name, std::string doc, TypeRule type);

}  // namespace seqgraph::ops
