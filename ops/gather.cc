#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Gather: y[a.., i.., b..] = x[a.., indices[i..], b..], where a has `axis` axes; a negative index
// counts from the end. (Rows of a table, where the backends are fast: Embedding.)
// GatherGrad: dx[a.., v, b..] = sum of dy[a.., i.., b..] where indices[i..] = v.

// Shape rules.

Shape InPlaceOfAxis(const Shape& x, int64_t axis, const Shape& indices) {
  Shape y(x.dims().first(axis));
  for (Dim dim : indices.dims()) y.Append(dim);
  for (Dim dim : x.dims().subspan(axis + 1)) y.Append(dim);
  return y;
}

// C1 and the shape of y, from those of x (called `name`) and of the indices.
absl::StatusOr<Shape> GatheredShape(const ShapeContext& c, absl::string_view name, const Shape& x,
                                    const Shape& indices) {
  SEQ_RETURN_IF_ERROR(CheckAxis(c, name, x));
  const int64_t axis = c.attributes().GetInt("axis");
  return InPlaceOfAxis(x, axis, indices);
}

Types GatherShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(Shape y, GatheredShape(c, "x", c.shape(0), c.shape(1)));
  return std::vector<TensorType>{{c.type(0).dtype, std::move(y)}};
}

Types GatherGradShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const Shape y, GatheredShape(c, "like", c.shape(2), c.shape(1)));
  SEQ_RETURN_IF_ERROR(CheckShape("C2", "dy", c.shape(0), "the shape of what was gathered", y));
  return std::vector<TensorType>{c.type(2)};
}

// Reference computation. x is [outer, extent of the axis, inner].

// The indices, each in [0, extent).
absl::StatusOr<std::vector<int64_t>> FromStart(TensorView<const int32_t> indices, int64_t extent) {
  std::vector<int64_t> result(indices.size());
  for (int64_t i = 0; i < indices.size(); ++i) {
    result[i] = indices[i] < 0 ? indices[i] + extent : indices[i];
    if (result[i] < 0 || result[i] >= extent) {
      return InvalidArgument("indices, element ", i, ", is ", indices[i], ", must be in [", -extent,
                             ", ", extent, ")");
    }
  }
  return result;
}

template <typename T>
absl::Status ComputeGather(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  const AxisExtents e(x.shape, c.attributes().GetInt("axis"));
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> indices,
                       FromStart(c.input<int32_t>(1), e.extent));
  if (!y) return absl::OkStatus();
  T* out = y.data;
  for (int64_t o = 0; o < e.outer; ++o) {
    for (int64_t i : indices) {
      out = std::copy_n(x.data + (o * e.extent + i) * e.inner, e.inner, out);
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeGatherGrad(const ReferenceContext& c) {
  const auto dy = c.input<T>(0);
  const auto dx = c.output<T>(0);
  const AxisExtents e(c.input_type(2).shape, c.attributes().GetInt("axis"));
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> indices,
                       FromStart(c.input<int32_t>(1), e.extent));
  if (!dx) return absl::OkStatus();
  std::fill_n(dx.data, dx.size(), T{0});
  const T* from = dy.data;
  for (int64_t o = 0; o < e.outer; ++o) {
    for (int64_t i : indices) {
      T* to = dx.data + (o * e.extent + i) * e.inner;
      for (int64_t k = 0; k < e.inner; ++k) to[k] += *from++;
    }
  }
  return absl::OkStatus();
}

// Costs.

OpCost GatherCost(const CostContext& c) {
  OpCost cost = c.Moving(0, {1});
  cost.bytes_read += std::min(c.input_bytes(0), c.output_bytes(0));
  return cost;
}

OpCost GatherGradCost(const CostContext& c) { return c.Moving(c.input_size(0), {0, 1}); }

// Error bound of GatherGrad: an element of dx sums those of dy that have its index.

double GatherGradTerms(const BoundContext& c, int) {
  const auto indices = c.input(1).Elements<int32_t>();
  const Shape& x = c.shape(2);
  const int axis = static_cast<int>(c.attributes().GetInt("axis"));
  std::vector<int32_t> from_start(indices.begin(), indices.end());
  for (int32_t& i : from_start) i += i < 0 ? static_cast<int32_t>(x[axis].size()) : 0;
  return static_cast<double>(MostRepeats(from_start));
}

// Definitions.

InputDef IndicesDef() {
  return {.name = "indices",
          .type = TypeRule::kIndex,
          .doc = "any shape; each in [-extent, extent) of the axis",
          .differentiable = false};
}

// x, indices and the axis.
OpSample RandomGather(SampleSource& source) {
  const Shape shape = RandomShape(source, 1, 3);
  const int64_t axis = source.Int(0, shape.rank() - 1);
  const int64_t extent = shape[static_cast<int>(axis)].size();
  const Tensor x = source.Reals(shape);
  return {{{"axis", axis}}, {x, source.Indices(RandomShape(source, 0, 2), extent)}};
}

// Rows of a steady x that steps choose, or slices of each step.
absl::Status GatherSteps(StepContext& c) {
  const int axis = static_cast<int>(c.attributes().GetInt("axis"));
  const bool chosen = c.layout(1).is_steps();
  SEQ_RETURN_IF_ERROR(c.RequireSteady(chosen ? 0 : 1));
  TimeLayout layout = c.layout(chosen ? 1 : 0);
  if (layout.lead != 0) return c.Refuse("it reads padding in front of the steps");
  if (chosen) {
    layout.axis += axis;
  } else if (axis == layout.axis) {
    return c.Refuse("it takes steps by their numbers");
  } else if (axis < layout.axis) {
    layout.axis += c.whole_input(1).shape.rank() - 1;
  }
  c.SetOutput(0, c.Emit({c.input(0), c.input(1)})[0], layout);
  return absl::OkStatus();
}

}  // namespace

OpDef GatherOp() {
  return OpDef("Gather", 1)
      .Doc(
          "y holds the slices of x along the axis that the indices name, in their places. An index "
          "that is not in [-extent, extent) fails the run.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape with an axis"})
      .Input(IndicesDef())
      .Output({.name = "y",
               .type = TypeRule::kNumber,
               .doc = "the shape of x with that of indices in the place of the axis"})
      .Attribute(AxisDef())
      .Constrain("C1", "axis is an axis of x whose extent is a number")
      .Shapes(GatherShape)
      .Reject({"C1", {{"axis", 2}}, {RealType({2, 3}), IndexType({2})}})
      .Reject({"C1", {{"axis", -1}}, {RealType({2, 3}), IndexType({2})}})
      .Reject({"C1", {{"axis", 0}}, {RealType({Dim::Batch()}), IndexType({2})}})
      .Reference(ByType([](auto x, auto& c) { return ComputeGather<decltype(x)>(c); }))
      .Moves()
      .Gradient(GradientOp("GatherGrad"))
      .Steps(GatherSteps)
      .Cost("FLOPs: none. Of x, at most what is taken is read.", GatherCost)
      .Example({"columns",
                {{"axis", 1}},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6}), Ids({2}, {2, 0})},
                {Reals({2, 2}, {3, 1, 6, 4})}})
      .Example(
          {"one_from_the_end", {{"axis", 0}}, {Ids({3}, {4, 5, 6}), Ids({}, {-1})}, {Ids({}, {6})}})
      .Samples(RandomGather);
}

OpDef GatherGradOp() {
  return OpDef("GatherGrad", 1)
      .Doc("dx sums each slice of dy where Gather took it from: the gradient of Gather.")
      .Input({.name = "dy", .doc = "the shape of what was gathered"})
      .Input(IndicesDef())
      .Input({.name = "like",
              .doc = "the shape of what was gathered from; its elements are not read",
              .differentiable = false})
      .Output({.name = "dx", .doc = "the shape of like"})
      .Attribute(AxisDef())
      .Constrain("C1", "axis is an axis of like whose extent is a number")
      .Constrain("C2", "dy has the shape of what was gathered")
      .Shapes(GatherGradShape)
      .Reject({"C1", {{"axis", 2}}, {RealType({2, 2}), IndexType({2}), RealType({2, 3})}})
      .Reject({"C2", {{"axis", 1}}, {RealType({2, 3}), IndexType({2}), RealType({2, 3})}})
      .Reference(ComputeGatherGrad<float>, ComputeGatherGrad<double>)
      .Bound(SumBound(GatherGradTerms))
      .Gradient(GradientOp("Gather"))
      .Cost("FLOPs: 1 for each element of dy. like is not read.", GatherGradCost)
      .Example({"twice_the_same",
                {{"axis", 0}},
                {Reals({3}, {1, 2, 4}), Ids({3}, {1, 1, -3}), Reals({3}, {0, 0, 0})},
                {Reals({3}, {4, 3, 0})}})
      .Samples([](SampleSource& source) {
        OpSample sample = RandomGather(source);
        const Tensor like = *sample.inputs[0], indices = *sample.inputs[1];
        const int64_t axis = sample.attributes.GetInt("axis");
        const Shape y = InPlaceOfAxis(like.shape(), axis, indices.shape());
        return OpSample{sample.attributes, {source.Reals(y), indices, like}};
      });
}

}  // namespace seqgraph::ops
