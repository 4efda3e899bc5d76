#include "ops/pad.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/slice.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: axis, before, after, value.

Attributes PadAttributes(int64_t axis, int64_t before, int64_t after, double value) {
  return {{"axis", axis}, {"before", before}, {"after", after}, {"value", value}};
}

// Shape rule.

bool Holds(DType type, double value) {
  return VisitElementType(type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      // 2^31 and 2^63 are doubles, what lies below them may be none.
      const double limit = -static_cast<double>(std::numeric_limits<T>::min());
      return value == std::floor(value) && value >= -limit && value < limit;
    }
    return true;
  });
}

Types PadShape(const ShapeContext& c) {
  const Shape& x = c.shape(0);
  SEQ_RETURN_IF_ERROR(CheckAxis(c, "x", x));
  const Attributes& a = c.attributes();
  const int64_t axis = a.GetInt("axis"), before = a.GetInt("before"), after = a.GetInt("after");
  if (before < 0 || after < 0 || before > Shape::kMaxElements || after > Shape::kMaxElements) {
    return Violation("C2", "before and after must be in [0, ", Shape::kMaxElements, "], got ",
                     before, " and ", after);
  }
  if (!Holds(c.type(0).dtype, a.GetFloat("value"))) {
    return Violation("C3", "value must be a number of the type of x, ", c.type(0).ToString(),
                     ", got ", a.GetFloat("value"));
  }
  std::vector<Dim> dims(x.dims().begin(), x.dims().end());
  dims[axis] = dims[axis].size() + before + after;
  return std::vector<TensorType>{{c.type(0).dtype, Shape(dims)}};
}

// Reference computation.

template <typename T>
absl::Status ComputePad(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const AxisExtents e(x.shape, c.attributes().GetInt("axis"));
  const int64_t before = c.attributes().GetInt("before") * e.inner;
  const int64_t after = c.attributes().GetInt("after") * e.inner, row = e.extent * e.inner;
  const T value = static_cast<T>(c.attributes().GetFloat("value"));
  T* out = y.data;
  for (int64_t o = 0; o < e.outer; ++o) {
    out = std::fill_n(out, before, value);
    out = std::copy_n(x.data + o * row, row, out);
    out = std::fill_n(out, after, value);
  }
  return absl::OkStatus();
}

absl::Status PadGradient(GradientContext& c) {
  const int64_t axis = c.attributes().GetInt("axis"), before = c.attributes().GetInt("before");
  const int64_t extent = c.builder().type(c.input(0)).shape[static_cast<int>(axis)].size();
  c.SetInputGradient(0, Slice(c.builder(), c.output_gradient(0),
                              {.axis = axis, .begin = before, .end = before + extent}));
  return absl::OkStatus();
}

// Zeros in front of the first step are left to what reads them.
absl::Status PadSteps(StepContext& c) {
  TimeLayout layout = c.layout(0);
  if (c.attributes().GetInt("axis") != layout.axis) return SameAxisSteps()(c);
  if (c.attributes().GetInt("after") != 0) return c.Refuse("it pads behind the last step");
  if (layout.inner != 1 || c.whole_input(0).shape[layout.axis] != layout.whole ||
      c.attributes().GetFloat("value") != 0) {
    return c.Refuse("it pads in front of the first step, and not with steps of zeros");
  }
  layout.lead += c.attributes().GetInt("before");
  c.SetOutput(0, c.input(0), layout);
  return absl::OkStatus();
}

}  // namespace

OpDef PadOp() {
  return OpDef("Pad", 1)
      .Doc("y = before times value, then x, then after times value, along the axis.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape with an axis"})
      .Output({.name = "y",
               .type = TypeRule::kNumber,
               .doc = "the shape of x with more elements along the axis"})
      .Attribute(AxisDef())
      .Attribute("before", int64_t{0}, "elements in front")
      .Attribute("after", int64_t{0}, "elements behind")
      .Attribute("value", 0.0, "of these elements, rounded to the type of x")
      .Constrain("C1", "axis is an axis whose extent is a number")
      .Constrain("C2", "before and after are at least 0")
      .Constrain("C3", "value is an integer in the range of x where x is one")
      .Shapes(PadShape)
      .Reject({"C1", PadAttributes(2, 1, 1, 0), {RealType({2, 3})}})
      .Reject({"C1", PadAttributes(0, 1, 1, 0), {RealType({Dim::Batch(), 3})}})
      .Reject({"C2", PadAttributes(1, -1, 1, 0), {RealType({2, 3})}})
      .Reject(
          {"C2", PadAttributes(1, 0, std::numeric_limits<int64_t>::max(), 0), {RealType({2, 3})}})
      .Reject({"C3", PadAttributes(1, 1, 1, 0.5), {IndexType({2, 3})}})
      .Reject({"C3", PadAttributes(1, 1, 1, 0x1p31), {IndexType({2, 3})}})
      .Reference(ByType([](auto x, auto& c) { return ComputePad<decltype(x)>(c); }))
      .Bound(OutputBound(1))  // the value may be rounded
      .Gradient(PadGradient)
      .Steps(PadSteps)
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"time",
                PadAttributes(1, 1, 2, 0),
                {Reals({1, 2, 2}, {1, 2, 3, 4})},
                {Reals({1, 5, 2}, {0, 0, 1, 2, 3, 4, 0, 0, 0, 0})}})
      .Example(
          {"integers", PadAttributes(0, 1, 1, -7), {Ids({2}, {4, 5})}, {Ids({4}, {-7, 4, 5, -7})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 1, 4);
        // A quarter: exact in float32.
        const double value = static_cast<double>(source.Int(-8, 8)) / 4;
        return OpSample{PadAttributes(source.Int(0, shape.rank() - 1), source.Int(0, 3),
                                      source.Int(0, 3), value),
                        {source.Reals(shape)}};
      });
}

Value Pad(FunctionBuilder& g, Value x, const PadOptions& o) {
  return g.AddNode("Pad", {x}, PadAttributes(o.axis, o.before, o.after, o.value), o.name)[0];
}

}  // namespace seqgraph::ops
