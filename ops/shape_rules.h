#pragma once

// Shape rules that several ops share. A rule's messages begin with the label of the constraint that
// is violated; the caller puts op and node in front.

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph::ops {

/// What a shape rule gives.
using Types = absl::StatusOr<std::vector<TensorType>>;

/// InvalidArgument "C2: w must be [features, units], got [3]" from its parts.
template <typename... Parts>
absl::Status Violation(absl::string_view label, const Parts&... parts) {
  return InvalidArgument(label, ": ", parts...);
}

/// Violation unless `shape`, which is that of the operand `name`, is `expected`; `meaning` says
/// what is expected in words: "[units]", "the shape of x".
absl::Status CheckShape(absl::string_view label, absl::string_view name, const Shape& shape,
                        absl::string_view meaning, const Shape& expected);

/// Violation unless inputs i and j, called `a` and `b`, have one element type.
absl::Status CheckSameType(absl::string_view label, const ShapeContext& c, int i,
                           absl::string_view a, int j, absl::string_view b);

/// The attribute axis, and violation of C1 unless it is an axis of `x`, which is the shape of the
/// operand `name`, and no batch.
AttributeDef AxisDef();
absl::Status CheckAxis(const ShapeContext& c, absl::string_view name, const Shape& x);

/// One output, of the type of input i.
ShapeRule SameAsInput(int i);

/// One output, of the type of input 0, called a; input 1, called b, must have its shape (C1) and
/// its element type (C2).
Types SameNumbers(const ShapeContext& c);

}  // namespace seqgraph::ops
