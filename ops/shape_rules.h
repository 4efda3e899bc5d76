#ifndef SEQGRAPH_OPS_SHAPE_RULES_H_
#define SEQGRAPH_OPS_SHAPE_RULES_H_

// Shape rules that several ops share. A rule's messages begin with the label of the constraint that
// is violated; the caller puts op and node in front.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "graph/op_def.h"

namespace seqgraph::ops {

/// What a shape rule gives.
using Types = absl::StatusOr<std::vector<TensorType>>;

/// InvalidArgument "C2: w must be [features, units], got [3]" from its parts.
template <typename... Parts>
absl::Status Violation(absl::string_view label, const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(label, ": ", parts...));
}

/// Violation unless `shape`, which is that of the operand `name`, is `expected`; `meaning` says
/// what is expected in words: "[units]", "the shape of x".
absl::Status CheckShape(absl::string_view label, absl::string_view name, const Shape& shape,
                        absl::string_view meaning, const Shape& expected);

/// Violation unless the operand is a scalar (rank 0).
absl::Status CheckScalar(absl::string_view label, absl::string_view name, const Shape& shape);

/// Violation unless inputs i and j, called `a` and `b`, have one element type.
absl::Status CheckSameType(absl::string_view label, const ShapeContext& c, int i,
                           absl::string_view a, int j, absl::string_view b);

/// Violation unless low <= value < high (NaN never is).
absl::Status CheckAttributeRange(absl::string_view label, absl::string_view name, double value,
                                 double low, double high);

/// One output, of the type of input i.
ShapeRule SameAsInput(int i);

/// One output, of the type of input 0; input 1, called `name1`, must have the shape of input 0,
/// called `name0`.
ShapeRule SameShapes(std::string label, std::string name0, std::string name1);

/// As SameShapes with `shape_label`, and input 1 must have the element type of input 0
/// (`type_label`).
ShapeRule SameNumbers(std::string shape_label, std::string type_label, std::string name0,
                      std::string name1);

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_SHAPE_RULES_H_
