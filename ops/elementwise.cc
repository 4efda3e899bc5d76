#include "ops/elementwise.h"

#include <algorithm>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/binary.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Reference computation.

template <typename T>
absl::Status ComputeAdd(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T a, T b) { return WrappingAdd(a, b); });
}

template <typename T>
absl::Status ComputeSubtract(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T a, T b) { return WrappingSubtract(a, b); });
}

template <typename T>
absl::Status ComputeMultiply(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T a, T b) { return WrappingMultiply(a, b); });
}

template <typename T>
absl::Status ComputeScale(const ReferenceContext& c) {
  const T factor = static_cast<T>(c.attributes().GetFloat("factor"));
  return MapUnary<T>(c, [factor](T x) { return factor * x; });
}

template <typename T>
absl::Status ComputeFillLike(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  if (y) std::fill_n(y.data, y.size(), static_cast<T>(c.attributes().GetFloat("value")));
  return absl::OkStatus();
}

// Gradient rules.

absl::Status AddGradient(GradientContext& c) {
  c.SetInputGradient(0, c.output_gradient(0));
  c.SetInputGradient(1, c.output_gradient(0));
  return absl::OkStatus();
}

absl::Status SubtractGradient(GradientContext& c) {
  c.SetInputGradient(0, c.output_gradient(0));
  if (c.wanted(1)) {
    c.SetInputGradient(1, Scale(c.builder(), c.output_gradient(0), -1));
  }
  return absl::OkStatus();
}

absl::Status MultiplyGradient(GradientContext& c) {
  for (int i : {0, 1}) {
    if (!c.wanted(i)) continue;
    c.SetInputGradient(i, Multiply(c.builder(), c.output_gradient(0), c.input(1 - i)));
  }
  return absl::OkStatus();
}

absl::Status ScaleGradient(GradientContext& c) {
  c.SetInputGradient(0,
                     Scale(c.builder(), c.output_gradient(0), c.attributes().GetFloat("factor")));
  return absl::OkStatus();
}

// Nothing to set: an input without gradient has the gradient zero.
absl::Status FillLikeGradient(GradientContext&) { return absl::OkStatus(); }

// Definitions.

// Of two numbers of one type.
OpDef ArithmeticDef(std::string name, std::string doc) {
  return BinaryDef(std::move(name), std::move(doc))
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of a"})
      .Shapes(SameNumbers)
      .Bound(OutputBound(1))
      .InPlace({0, 0})
      .InPlace({0, 1});
}

}  // namespace

OpDef AddOp() {
  return ArithmeticDef("Add", "y = a + b, element by element.")
      .Reference(
          ByType(ComputeAdd<float>, ComputeAdd<double>, ComputeAdd<int32_t>, ComputeAdd<int64_t>))
      .Fusable(ElementwiseOp::kAdd)
      .Gradient(AddGradient)
      .Example({"three",
                {},
                {Reals({3}, {1, 2, 3}), Reals({3}, {10, -20, 0.5})},
                {Reals({3}, {11, -18, 3.5})}});
}

OpDef SubtractOp() {
  return ArithmeticDef("Subtract", "y = a - b, element by element.")
      .Reference(ByType(ComputeSubtract<float>, ComputeSubtract<double>, ComputeSubtract<int32_t>,
                        ComputeSubtract<int64_t>))
      .Fusable(ElementwiseOp::kSubtract)
      .Gradient(SubtractGradient)
      .Example({"three",
                {},
                {Reals({3}, {1, 2, 3}), Reals({3}, {10, -20, 0.5})},
                {Reals({3}, {-9, 22, 2.5})}});
}

OpDef MultiplyOp() {
  return ArithmeticDef("Multiply", "y = a b, element by element.")
      .Reference(ByType(ComputeMultiply<float>, ComputeMultiply<double>, ComputeMultiply<int32_t>,
                        ComputeMultiply<int64_t>))
      .Fusable(ElementwiseOp::kMultiply)
      .Gradient(MultiplyGradient)
      .Example({"three",
                {},
                {Reals({3}, {1, 2, 3}), Reals({3}, {10, -20, 0.5})},
                {Reals({3}, {10, -40, 1.5})}});
}

OpDef ScaleOp() {
  return OpDef("Scale", 1)
      .Doc("y = factor x, element by element; the factor is rounded to the type of x.")
      .Input({.name = "x", .doc = "any shape"})
      .Output({.name = "y", .doc = "the shape of x"})
      .Attribute({.name = "factor", .kind = AttributeKind::kFloat, .doc = "any number"})
      .Shapes(SameAsInput(0))
      .Reference(ComputeScale<float>, ComputeScale<double>)
      .Bound(OutputBound(2))  // the factor is rounded too
      .Fusable(ElementwiseOp::kScale, "factor")
      .Gradient(ScaleGradient)
      .InPlace({0, 0})
      .Example({"minus_two",
                {{"factor", -2.0}},
                {Reals({2, 2}, {1, -2, 0.25, 8})},
                {Reals({2, 2}, {-2, 4, -0.5, -16})}})
      .Samples([](SampleSource& source) {
        const double factor = source.Real(-2, 2);
        return OpSample{{{"factor", factor}}, {source.Reals(RandomShape(source, 0, 3))}};
      });
}

OpDef FillLikeOp() {
  return OpDef("FillLike", 1)
      .Doc("y = value everywhere, in the type and shape of `like`, whose elements are not read.")
      .Input({.name = "like", .doc = "any shape; its gradient is zero"})
      .Output({.name = "y", .doc = "the shape of like"})
      .Attribute({.name = "value", .kind = AttributeKind::kFloat, .doc = "any number"})
      .Shapes(SameAsInput(0))
      .Reference(ComputeFillLike<float>, ComputeFillLike<double>)
      .Bound(OutputBound(1))
      .Fusable(ElementwiseOp::kFillLike, "value")
      .Gradient(FillLikeGradient)
      .Cost("FLOPs: none. Nothing is read.", [](const CostContext& c) { return c.Moving(0, {}); })
      .InPlace({0, 0})
      .Example({"halves", {{"value", 0.5}}, {Reals({3}, {1, 2, 3})}, {Reals({3}, {0.5, 0.5, 0.5})}})
      .Samples([](SampleSource& source) {
        const double value = source.Real(-2, 2);
        return OpSample{{{"value", value}}, {source.Reals(RandomShape(source, 0, 3))}};
      });
}

Value Add(FunctionBuilder& g, Value a, Value b, std::string name) {
  return g.AddNode("Add", {a, b}, {}, std::move(name))[0];
}

Value Subtract(FunctionBuilder& g, Value a, Value b, std::string name) {
  return g.AddNode("Subtract", {a, b}, {}, std::move(name))[0];
}

Value Multiply(FunctionBuilder& g, Value a, Value b, std::string name) {
  return g.AddNode("Multiply", {a, b}, {}, std::move(name))[0];
}

Value Scale(FunctionBuilder& g, Value x, double factor, std::string name) {
  return g.AddNode("Scale", {x}, {{"factor", factor}}, std::move(name))[0];
}

Value FillLike(FunctionBuilder& g, Value like, double value, std::string name) {
  return g.AddNode("FillLike", {like}, {{"value", value}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
