#include "ops/reduction_def.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "ops/examples.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {

bool Contains(const Axes& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

absl::Status CheckAxes(const Axes& axes, absl::string_view name, const Shape& shape) {
  int64_t previous = -1;
  for (int64_t axis : axes) {
    if (axis <= previous || axis >= shape.rank()) {
      return Violation("C1", "axes must be ascending and in [0, ", shape.rank(), "), the rank of ",
                       name, "; got [", absl::StrJoin(axes, ", "), "]");
    }
    previous = axis;
  }
  return absl::OkStatus();
}

absl::Status CheckNotEmpty(absl::string_view label, absl::string_view what, const Axes& axes,
                           const Shape& shape) {
  for (int64_t axis : axes) {
    if (!shape[axis].is_batch() && shape[axis].size() == 0) {
      return Violation(label, what, " needs at least one term; axis ", axis, " of ",
                       shape.ToString(), " has none");
    }
  }
  return absl::OkStatus();
}

Shape Without(const Axes& axes, const Shape& shape, bool keep_dims) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!Contains(axes, i)) {
      result.Append(shape[i]);
    } else if (keep_dims) {
      result.Append(1);
    }
  }
  return result;
}

Types ReducedShape(const ShapeContext& c) {
  const Axes& axes = AxesOf(c.attributes());
  SEQ_RETURN_IF_ERROR(CheckAxes(axes, "x", c.shape(0)));
  return std::vector<TensorType>{
      {c.type(0).dtype, Without(axes, c.shape(0), c.attributes().GetBool("keep_dims"))}};
}

Strided Reduced(const Shape& shape, const Axes& axes) {
  Strided strided;
  int64_t size = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    if (Contains(axes, d)) continue;
    strided.strides[d] = size;
    size *= shape[d].size();
  }
  return strided;
}

Axes RandomAxes(SampleSource& source, const Shape& shape) {
  Axes axes;
  for (int d = 0; d < shape.rank(); ++d) {
    if (source.Coin()) axes.push_back(d);
  }
  return axes;
}

OpDef ReductionDef(std::string name, std::string doc, TypeRule type) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "x", .type = type, .doc = "any shape"})
      .Output({.name = "y", .type = type, .doc = "the shape of x without the axes"})
      .Attribute("axes", AttributeKind::kInts, "axes of x to reduce, ascending; none: y is x")
      .Attribute("keep_dims", false, "keep the axes, with extent 1")
      .Steps(ReductionSteps())
      .Constrain("C1", "the axes are ascending and in [0, rank of x)")
      .Reject({"C1", {{"axes", Ints({2})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"axes", Ints({-1})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"axes", Ints({1, 0})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"axes", Ints({1, 1})}}, {RealType({2, 3})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 4);
        const Axes axes = RandomAxes(source, shape);
        const bool keep_dims = source.Coin();
        return OpSample{{{"axes", axes}, {"keep_dims", keep_dims}}, {source.Reals(shape)}};
      });
}

}  // namespace seqgraph::ops
