#include "ops/shape_rules.h"

#include <utility>

#include "base/status_macros.h"

namespace seqgraph::ops {

absl::Status CheckShape(absl::string_view label, absl::string_view name, const Shape& shape,
                        absl::string_view meaning, const Shape& expected) {
  if (shape == expected) return absl::OkStatus();
  return Violation(label, name, " must have ", meaning, ", ", expected.ToString(), ", got ",
                   shape.ToString());
}

absl::Status CheckScalar(absl::string_view label, absl::string_view name, const Shape& shape) {
  return CheckShape(label, name, shape, "the shape of a scalar", Shape{});
}

absl::Status CheckSameType(absl::string_view label, const ShapeContext& c, int i,
                           absl::string_view a, int j, absl::string_view b) {
  if (c.type(i).dtype == c.type(j).dtype) return absl::OkStatus();
  return Violation(label, b, " must have the element type of ", a, ", ", DTypeName(c.type(i).dtype),
                   ", got ", DTypeName(c.type(j).dtype));
}

absl::Status CheckAttributeRange(absl::string_view label, absl::string_view name, double value,
                                 double low, double high) {
  if (value >= low && value < high) return absl::OkStatus();
  return Violation(label, "attribute ", name, " must be in [", low, ", ", high, "), got ", value);
}

ShapeRule SameAsInput(int i) {
  return [i](const ShapeContext& c) -> Types { return std::vector<TensorType>{c.type(i)}; };
}

ShapeRule SameShapes(std::string label, std::string name0, std::string name1) {
  return [label = std::move(label), name0 = std::move(name0),
          name1 = std::move(name1)](const ShapeContext& c) -> Types {
    SEQ_RETURN_IF_ERROR(
        CheckShape(label, name1, c.shape(1), absl::StrCat("the shape of ", name0), c.shape(0)));
    return std::vector<TensorType>{c.type(0)};
  };
}

ShapeRule SameNumbers(std::string shape_label, std::string type_label, std::string name0,
                      std::string name1) {
  return [same_shapes = SameShapes(std::move(shape_label), name0, name1), type_label, name0,
          name1](const ShapeContext& c) -> Types {
    SEQ_RETURN_IF_ERROR(CheckSameType(type_label, c, 0, name0, 1, name1));
    return same_shapes(c);
  };
}

}  // namespace seqgraph::ops
