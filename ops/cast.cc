#include "ops/cast.h"

#include <utility>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attribute: dtype.

// Shape rule.

Types CastShape(const ShapeContext& c) {
  return std::vector<TensorType>{{c.attributes().GetDType("dtype"), c.shape(0)}};
}

// Reference computation.

absl::Status ComputeCast(const ReferenceContext& c) {
  return VisitElementType(c.input_type(0).dtype, [&](auto from) {
    return VisitElementType(c.output_type(0).dtype, [&](auto to) -> absl::Status {
      using To = decltype(to);
      const auto x = c.input<decltype(from)>(0);
      const auto y = c.output<To>(0);
      if (!y) return absl::OkStatus();
      for (int64_t i = 0; i < y.size(); ++i) y[i] = CastElement<To>(x[i]);
      return absl::OkStatus();
    });
  });
}

// Gradient rule.

absl::Status CastGradient(GradientContext& c) {
  if (!c.wanted(0) || !c.output_gradient(0).present()) return absl::OkStatus();
  FunctionBuilder& g = c.builder();
  c.SetInputGradient(0, Cast(g, c.output_gradient(0), g.type(c.input(0)).dtype));
  return absl::OkStatus();
}

}  // namespace

// Definition.

OpDef CastOp() {
  return OpDef("Cast", 1)
      .Doc(
          "y = x in another element type. To a real type: rounded to nearest. From a real type to "
          "an integer: truncated, NaN gives 0 and what is out of range the nearest limit. From "
          "int64 to int32: the low 32 bits.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of x"})
      .Attribute("dtype", AttributeKind::kDType, "element type of y")
      .Shapes(CastShape)
      .Reference(ComputeCast)
      .Bound(OutputBound(1))
      .Gradient(CastGradient)
      .Steps(ElementwiseSteps())
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"to_integers",
                {{"dtype", DType::kInt32}},
                {Reals({4}, {1.75, -1.75, 1e20, -1e20})},
                {Ids({4}, {1, -1, 2147483647, -2147483647 - 1})}})
      .Example(
          {"to_reals", {{"dtype", DType::kFloat32}}, {Ids({2}, {3, -4})}, {Reals({2}, {3, -4})}})
      .Samples([](SampleSource& source) {
        return OpSample{{{"dtype", DType::kFloat64}}, {source.Reals(RandomShape(source, 0, 3))}};
      });
}

Value Cast(FunctionBuilder& g, Value x, DType dtype, std::string name) {
  return g.AddNode("Cast", {x}, {{"dtype", dtype}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
