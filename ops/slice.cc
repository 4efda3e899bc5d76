#include "ops/slice.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {
namespace {

// Attributes: axis; Slice and SliceGrad also begin, end, stride.

// Shape rules.

Shape WithExtent(const Shape& shape, int64_t axis, int64_t extent) {
  std::vector<Dim> dims(shape.dims().begin(), shape.dims().end());
  dims[axis] = extent;
  return Shape(dims);
}

Types ConcatShape(const ShapeContext& c) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  SEQ_RETURN_IF_ERROR(CheckAxis(c, "a", a));
  SEQ_RETURN_IF_ERROR(CheckSameType("C3", c, 0, "a", 1, "b"));
  const int axis = static_cast<int>(c.attributes().GetInt("axis"));
  if (b.rank() != a.rank() || b[axis].is_batch() ||
      WithExtent(b, axis, 0) != WithExtent(a, axis, 0)) {
    return Violation("C2", "b must have the shape of a ", a.ToString(), " but for axis ", axis,
                     ", got ", b.ToString());
  }
  return std::vector<TensorType>{
      {c.type(0).dtype, WithExtent(a, axis, a[axis].size() + b[axis].size())}};
}

// begin, stride and the number of elements along the axis.
struct Range {
  explicit Range(const Attributes& attributes)
      : axis(attributes.GetInt("axis")),
        begin(attributes.GetInt("begin")),
        end(attributes.GetInt("end")),
        stride(attributes.GetInt("stride")) {}
  int64_t count() const { return begin == end ? 0 : (end - begin - 1) / stride + 1; }
  int64_t axis, begin, end, stride;
};

// C1 and C2; the shape of the slice of x.
absl::StatusOr<Shape> SlicedShape(const ShapeContext& c, absl::string_view name, const Shape& x) {
  SEQ_RETURN_IF_ERROR(CheckAxis(c, name, x));
  const Range range(c.attributes());
  const int64_t extent = x[static_cast<int>(range.axis)].size();
  if (range.begin < 0 || range.end < range.begin || range.end > extent || range.stride < 1) {
    return Violation("C2", "attributes must be 0 <= begin <= end <= ", extent,
                     ", the extent of axis ", range.axis, ", and stride >= 1; got begin ",
                     range.begin, ", end ", range.end, ", stride ", range.stride);
  }
  return WithExtent(x, range.axis, range.count());
}

Types SliceShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(Shape y, SlicedShape(c, "x", c.shape(0)));
  return std::vector<TensorType>{{c.type(0).dtype, std::move(y)}};
}

Types SliceGradShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(const Shape y, SlicedShape(c, "like", c.shape(1)));
  SEQ_RETURN_IF_ERROR(CheckShape("C3", "dy", c.shape(0), "the shape of the slice", y));
  return std::vector<TensorType>{c.type(1)};
}

Types ReverseShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckAxis(c, "x", c.shape(0)));
  return std::vector<TensorType>{c.type(0)};
}

// Reference computation. A tensor is [outer, extent of the axis, inner].

template <typename T>
absl::Status ComputeConcat(const ReferenceContext& c) {
  const auto a = c.input<T>(0), b = c.input<T>(1);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const int64_t axis = c.attributes().GetInt("axis");
  const AxisExtents ea(a.shape, axis), eb(b.shape, axis);
  const int64_t from_a = ea.extent * ea.inner, from_b = eb.extent * eb.inner;
  T* out = y.data;
  for (int64_t o = 0; o < ea.outer; ++o) {
    out = std::copy_n(a.data + o * from_a, from_a, out);
    out = std::copy_n(b.data + o * from_b, from_b, out);
  }
  return absl::OkStatus();
}

// Of the slice in what was sliced, which is input `whole`.
auto Sliced(int whole) {
  return [whole](const ReferenceContext& c) {
    const Range range(c.attributes());
    const Shape& shape = c.input_type(whole).shape;
    Strided strided(shape);
    strided.first = range.begin * strided.strides[range.axis];
    // One beyond the extent leads out of it as any larger one does, and no product overflows.
    strided.strides[range.axis] *=
        std::min(range.stride, shape[static_cast<int>(range.axis)].size() + 1);
    return strided;
  };
}

Strided Reversed(const ReferenceContext& c) {
  const Shape& x = c.input_type(0).shape;
  const int64_t axis = c.attributes().GetInt("axis");
  Strided strided(x);
  strided.first = (x[static_cast<int>(axis)].size() - 1) * strided.strides[axis];
  strided.strides[axis] *= -1;
  return strided;
}

// Gradient rules.

absl::Status ConcatGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const int64_t axis = c.attributes().GetInt("axis");
  const Value dy = c.output_gradient(0);
  const int64_t first = g.type(c.input(0)).shape[static_cast<int>(axis)].size();
  const int64_t all = g.type(dy).shape[static_cast<int>(axis)].size();
  if (c.wanted(0)) {
    c.SetInputGradient(0, Slice(g, dy, {.axis = axis, .begin = 0, .end = first}));
  }
  if (c.wanted(1)) {
    c.SetInputGradient(1, Slice(g, dy, {.axis = axis, .begin = first, .end = all}));
  }
  return absl::OkStatus();
}

absl::Status ReverseGradient(GradientContext& c) {
  c.SetInputGradient(0, Reverse(c.builder(), c.output_gradient(0), c.attributes().GetInt("axis")));
  return absl::OkStatus();
}

// Definitions: what several ops have.

OpDef SliceDef(std::string name, std::string doc) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Attribute(AxisDef())
      .Attribute("begin", int64_t{0}, "the first element")
      .Attribute("end", AttributeKind::kInt, "behind the last element")
      .Attribute("stride", int64_t{1}, "from one element to the next")
      .Constrain("C1", "axis is an axis whose extent is a number")
      .Constrain("C2", "0 <= begin <= end <= extent of the axis, stride >= 1");
}

Attributes SliceAttributes(int64_t axis, int64_t begin, int64_t end, int64_t stride = 1) {
  return {{"axis", axis}, {"begin", begin}, {"end", end}, {"stride", stride}};
}

// A random slice of a random shape.
std::pair<Attributes, Shape> RandomSlice(SampleSource& source) {
  const Shape shape = RandomShape(source, 1, 4);
  const int64_t axis = source.Int(0, shape.rank() - 1);
  const int64_t extent = shape[static_cast<int>(axis)].size();
  const int64_t begin = source.Int(0, extent - 1), end = source.Int(begin + 1, extent);
  return {SliceAttributes(axis, begin, end, source.Int(1, 3)), shape};
}

// Steps.

absl::Status ConcatSteps(StepContext& c) {
  const int input = c.layout(0).is_steps() ? 0 : 1;
  if (c.attributes().GetInt("axis") == c.layout(input).axis) {
    return c.Refuse("it puts one sequence behind another");
  }
  return SameAxisSteps()(c);
}

// Of the steps all, or the last one.
absl::Status SliceSteps(StepContext& c) {
  const TimeLayout& layout = c.layout(0);
  if (c.attributes().GetInt("axis") != layout.axis) return SameAxisSteps()(c);
  const int64_t begin = c.attributes().GetInt("begin"), end = c.attributes().GetInt("end");
  if (layout.inner != 1 || layout.lead != 0 ||
      c.whole_input(0).shape[layout.axis] != layout.whole) {
    return c.Refuse("it cuts time and another axis at once");
  }
  if (begin == 0 && end == layout.whole && c.attributes().GetInt("stride") == 1) {
    c.SetOutput(0, c.input(0), layout);
    return absl::OkStatus();
  }
  // All but some at both ends: each comes as much later as it has a smaller number, and as late as
  // one knows that it is none of those at the end.
  const int64_t behind = layout.whole - end;
  if (c.attributes().GetInt("stride") == 1 && end - begin > 1) {
    SEQ_ASSIGN_OR_RETURN(const Value later, c.Later(0, behind));
    TimeLayout cropped = layout;
    cropped.delay += begin + behind;
    cropped.whole = end - begin;
    c.SetOutput(0, later, cropped);
    return absl::OkStatus();
  }
  if (begin != layout.whole - 1 || behind != 0) {
    return c.Refuse("it takes steps by their numbers, and not the last");
  }
  const int64_t steps = c.steps(layout);
  c.SetEnd(0, c.Emit({c.input(0)}, SliceAttributes(layout.axis, steps - 1, steps))[0]);
  return absl::OkStatus();
}

absl::Status ReverseSteps(StepContext& c) {
  if (c.attributes().GetInt("axis") == c.layout(0).axis) {
    return c.Refuse("it goes backwards from the last step, which has not come yet");
  }
  return SameAxisSteps()(c);
}

}  // namespace

OpDef ConcatOp() {
  return OpDef("Concat", 1)
      .Doc("y = a, then b, along the axis.")
      .Input({.name = "a", .type = TypeRule::kNumber, .doc = "any shape with an axis"})
      .Input({.name = "b", .type = TypeRule::kNumber, .doc = "the shape of a but for the axis"})
      .Output({.name = "y",
               .type = TypeRule::kNumber,
               .doc = "the shape of a with both extents along the axis"})
      .Attribute(AxisDef())
      .Constrain("C1", "axis is an axis whose extent is a number")
      .Constrain("C2", "b has the shape of a but for the axis")
      .Constrain("C3", "b has the element type of a")
      .Shapes(ConcatShape)
      .Reject({"C1", {{"axis", 2}}, {RealType({2, 3}), RealType({2, 3})}})
      .Reject({"C1", {{"axis", -1}}, {RealType({2, 3}), RealType({2, 3})}})
      .Reject({"C1", {{"axis", 0}}, {RealType({Dim::Batch()}), RealType({Dim::Batch()})}})
      .Reject({"C2", {{"axis", 1}}, {RealType({2, 3}), RealType({3, 3})}})
      .Reject({"C2", {{"axis", 1}}, {RealType({2, 3}), RealType({2})}})
      .Reject({"C3", {{"axis", 1}}, {RealType({2, 3}), IndexType({2, 3})}})
      .Reference(ByType([](auto x, auto& c) { return ComputeConcat<decltype(x)>(c); }))
      .Moves()
      .Gradient(ConcatGradient)
      .Steps(ConcatSteps)
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"last_axis",
                {{"axis", 1}},
                {Reals({2, 1}, {1, 2}), Reals({2, 2}, {3, 4, 5, 6})},
                {Reals({2, 3}, {1, 3, 4, 2, 5, 6})}})
      .Example(
          {"integers", {{"axis", 0}}, {Ids({1}, {1}), Ids({2}, {2, 3})}, {Ids({3}, {1, 2, 3})}})
      .Example({"first_axis",
                {{"axis", 0}},
                {Reals({1, 2}, {1, 2}), Reals({2, 2}, {3, 4, 5, 6})},
                {Reals({3, 2}, {1, 2, 3, 4, 5, 6})}})
      .Samples([](SampleSource& source) {
        const Shape a = RandomShape(source, 1, 4);
        const int64_t axis = source.Int(0, a.rank() - 1);
        const Shape b = WithExtent(a, axis, source.Dimension());
        return OpSample{{{"axis", axis}}, {source.Reals(a), source.Reals(b)}};
      });
}

OpDef SliceOp() {
  return SliceDef("Slice", "y_i = x_{begin + i stride} along the axis, for begin + i stride < end.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape with an axis"})
      .Output({.name = "y",
               .type = TypeRule::kNumber,
               .doc = "the shape of x with fewer elements along the axis"})
      .Shapes(SliceShape)
      .Reject({"C1", SliceAttributes(2, 0, 1), {RealType({2, 3})}})
      .Reject({"C1", SliceAttributes(0, 0, 1), {RealType({Dim::Batch()})}})
      .Reject({"C2", SliceAttributes(1, -1, 2), {RealType({2, 3})}})
      .Reject({"C2", SliceAttributes(1, 2, 1), {RealType({2, 3})}})
      .Reject({"C2", SliceAttributes(1, 0, 4), {RealType({2, 3})}})
      .Reject({"C2", SliceAttributes(1, 0, 3, 0), {RealType({2, 3})}})
      .Reference(TakeStrided(Sliced(0)))
      .Moves()
      .Gradient(GradientOp("SliceGrad"))
      .Steps(SliceSteps)
      .Cost("FLOPs: none. Of x, what is taken is read.", TakenCost)
      .Example({"columns",
                SliceAttributes(1, 1, 3),
                {Reals({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})},
                {Reals({2, 2}, {2, 3, 6, 7})}})
      .Example({"integers", SliceAttributes(0, 1, 2), {Ids({3}, {4, 5, 6})}, {Ids({1}, {5})}})
      .Example({"every_second_row",
                SliceAttributes(0, 0, 3, 2),
                {Reals({3, 2}, {1, 2, 3, 4, 5, 6})},
                {Reals({2, 2}, {1, 2, 5, 6})}})
      .Samples([](SampleSource& source) {
        auto [attributes, shape] = RandomSlice(source);
        return OpSample{std::move(attributes), {source.Reals(shape)}};
      });
}

OpDef SliceGradOp() {
  return SliceDef(
             "SliceGrad",
             "dx_{begin + i stride} = dy_i along the axis, 0 elsewhere: the gradient of Slice.")
      .Input({.name = "dy", .doc = "the shape of the slice"})
      .Input({.name = "like",
              .doc = "the shape of what was sliced; its elements are not read",
              .differentiable = false})
      .Output({.name = "dx", .doc = "the shape of like"})
      .Constrain("C3", "dy has the shape of the slice")
      .Shapes(SliceGradShape)
      .Reject({"C1", SliceAttributes(2, 0, 1), {RealType({2, 1}), RealType({2, 3})}})
      .Reject({"C2", SliceAttributes(1, 0, 4), {RealType({2, 3}), RealType({2, 3})}})
      .Reject({"C3", SliceAttributes(1, 0, 2), {RealType({2, 3}), RealType({2, 3})}})
      .Reference(PutStrided(Sliced(1)))
      .Bound(ExactBound())
      .Gradient(GradientOp("Slice"))
      .Cost("FLOPs: none. like is not read.", [](const CostContext& c) { return c.Moving(0, {0}); })
      .Example({"columns",
                SliceAttributes(1, 1, 4, 2),
                {Reals({2, 2}, {1, 2, 3, 4}), Reals({2, 4}, {0, 0, 0, 0, 0, 0, 0, 0})},
                {Reals({2, 4}, {0, 1, 0, 2, 0, 3, 0, 4})}})
      .Samples([](SampleSource& source) {
        auto [attributes, shape] = RandomSlice(source);
        const Range range(attributes);
        return OpSample{
            std::move(attributes),
            {source.Reals(WithExtent(shape, range.axis, range.count())), source.Reals(shape)}};
      });
}

OpDef ReverseOp() {
  return OpDef("Reverse", 1)
      .Doc("y_i = x_{n-1-i} along the axis, whose extent is n.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape with an axis"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of x"})
      .Attribute(AxisDef())
      .Constrain("C1", "axis is an axis whose extent is a number")
      .Shapes(ReverseShape)
      .Reject({"C1", {{"axis", 2}}, {RealType({2, 3})}})
      .Reject({"C1", {{"axis", 0}}, {RealType({Dim::Batch(), 3})}})
      .Reference(TakeStrided(Reversed))
      .Moves()
      .Gradient(ReverseGradient)
      .Steps(ReverseSteps)
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"time",
                {{"axis", 1}},
                {Reals({1, 3, 2}, {1, 2, 3, 4, 5, 6})},
                {Reals({1, 3, 2}, {5, 6, 3, 4, 1, 2})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 1, 4);
        const int64_t axis = source.Int(0, shape.rank() - 1);
        return OpSample{{{"axis", axis}}, {source.Reals(shape)}};
      });
}

Value Concat(FunctionBuilder& g, Value a, Value b, int64_t axis, std::string name) {
  return g.AddNode("Concat", {a, b}, {{"axis", axis}}, std::move(name))[0];
}

Value Slice(FunctionBuilder& g, Value x, const SliceOptions& o) {
  return g.AddNode("Slice", {x}, SliceAttributes(o.axis, o.begin, o.end, o.stride), o.name)[0];
}

Value Reverse(FunctionBuilder& g, Value x, int64_t axis, std::string name) {
  return g.AddNode("Reverse", {x}, {{"axis", axis}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
