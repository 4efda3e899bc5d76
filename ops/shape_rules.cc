#include "ops/shape_rules.h"

#include "base/status_macros.h"

namespace seqgraph::ops {

absl::Status CheckShape(absl::string_view label, absl::string_view name, const Shape& shape,
                        absl::string_view meaning, const Shape& expected) {
  if (shape == expected) return absl::OkStatus();
  return Violation(label, name, " must have ", meaning, ", ", expected.ToString(), ", got ",
                   shape.ToString());
}

absl::Status CheckSameType(absl::string_view label, const ShapeContext& c, int i,
                           absl::string_view a, int j, absl::string_view b) {
  if (c.type(i).dtype == c.type(j).dtype) return absl::OkStatus();
  return Violation(label, b, " must have the element type of ", a, ", ", DTypeName(c.type(i).dtype),
                   ", got ", DTypeName(c.type(j).dtype));
}

AttributeDef AxisDef() {
  return {.name = "axis", .kind = AttributeKind::kInt, .doc = "counted from 0, not the batch"};
}

absl::Status CheckAxis(const ShapeContext& c, absl::string_view name, const Shape& x) {
  const int64_t axis = c.attributes().GetInt("axis");
  if (axis >= 0 && axis < x.rank() && !x[static_cast<int>(axis)].is_batch()) {
    return absl::OkStatus();
  }
  return Violation("C1", "attribute axis must be an axis of ", name, " ", x.ToString(),
                   " other than the batch, got ", axis);
}

ShapeRule SameAsInput(int i) {
  return [i](const ShapeContext& c) -> Types { return std::vector<TensorType>{c.type(i)}; };
}

Types SameNumbers(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckSameType("C2", c, 0, "a", 1, "b"));
  SEQ_RETURN_IF_ERROR(CheckShape("C1", "b", c.shape(1), "the shape of a", c.shape(0)));
  return std::vector<TensorType>{c.type(0)};
}

}  // namespace seqgraph::ops
