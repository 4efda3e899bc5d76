#include "ops/elementwise.h"

#include <algorithm>

#include "graph/bound_rules.h"
#include "ops/binary.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Reference computation.

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

}  // namespace

OpDef ScaleOp() {
  return OpDef("Scale", 1)
      .Doc("y = factor x, element by element; the factor is rounded to the type of x.")
      .Input({.name = "x", .doc = "any shape"})
      .Output({.name = "y", .doc = "the shape of x"})
      .Attribute("factor", AttributeKind::kFloat, "any number")
      .Shapes(SameAsInput(0))
      .Reference(ComputeScale<float>, ComputeScale<double>)
      .Bound(OutputBound(2))  // the factor is rounded too
      .Fusable(ElementwiseOp::kScale, "factor")
      .Steps(ElementwiseSteps())
      .Gradient(
          GradientFormulas({[](const auto& t) { return t.attributes.GetFloat("factor") * t.dy; }}))
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
      .Attribute("value", AttributeKind::kFloat, "any number")
      .Shapes(SameAsInput(0))
      .Reference(ComputeFillLike<float>, ComputeFillLike<double>)
      .Bound(OutputBound(1))
      .Fusable(ElementwiseOp::kFillLike, "value")
      .Gradient(GradientFormulas({}))
      .Steps(ElementwiseSteps())
      .Cost("FLOPs: none. Nothing is read.", [](const CostContext& c) { return c.Moving(0, {}); })
      .InPlace({0, 0})
      .Example({"halves", {{"value", 0.5}}, {Reals({3}, {1, 2, 3})}, {Reals({3}, {0.5, 0.5, 0.5})}})
      .Samples([](SampleSource& source) {
        const double value = source.Real(-2, 2);
        return OpSample{{{"value", value}}, {source.Reals(RandomShape(source, 0, 3))}};
      });
}

Value Add(FunctionBuilder& g, Value a, Value b, std::string name) {
  return Binary(g, "Add", a, b, std::move(name));
}

Value Subtract(FunctionBuilder& g, Value a, Value b, std::string name) {
  return Binary(g, "Subtract", a, b, std::move(name));
}

Value Multiply(FunctionBuilder& g, Value a, Value b, std::string name) {
  return Binary(g, "Multiply", a, b, std::move(name));
}

Value Scale(FunctionBuilder& g, Value x, double factor, std::string name) {
  return g.AddNode("Scale", {x}, {{"factor", factor}}, std::move(name))[0];
}

Value FillLike(FunctionBuilder& g, Value like, double value, std::string name) {
  return g.AddNode("FillLike", {like}, {{"value", value}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
