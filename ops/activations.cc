#include "ops/activations.h"

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/activation.h"
#include "graph/bound_rules.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/operand_shapes.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"
#include "ops/unary.h"

namespace seqgraph::ops {
namespace {

// Reference computation.

template <typename T>
absl::Status ComputeElu(const ReferenceContext& c) {
  const T alpha = static_cast<T>(c.attributes().GetFloat("alpha"));
  return MapUnary<T>(c, [alpha](T x) { return x > 0 ? x : alpha * std::expm1(x); });
}

template <typename T, Activation kActivation>
absl::Status ComputeActivationGrad(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T y, T dy) { return dy * SlopeFromOutput(kActivation, y); });
}

// 0 rather than dy * 0, which is NaN for an infinite dy.
template <typename T>
absl::Status ComputeReluGrad(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T y, T dy) { return y > 0 ? dy : T{0}; });
}

// Cost of dy y (1 - y) and dy (1 - y^2); all others take one FLOP for each element.

constexpr char kThreeEachText[] = "FLOPs: 3 for each element.";

OpCost ThreeEach(const CostContext& c) { return c.Moving(3 * c.output_size(0)); }

// Definitions.

// `draw` gives a sample of the activation's output. In the formulas of gradients a is y, b is dy,
// and dy is the gradient of dx.
OpDef ActivationGradDef(std::string name, std::string doc,
                        std::function<Tensor(SampleSource&, const Shape&)> draw) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "y", .doc = "any shape: the activation's output"})
      .Input({.name = "dy", .doc = "the shape of y: its gradient"})
      .Output({.name = "dx", .doc = "the shape of y: the gradient of the activation's input"})
      .With(ShapesByDoc({{"C1", {"dy"}}}))
      .InPlace({0, 0})
      .InPlace({0, 1})
      .Samples([draw = std::move(draw)](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 3);
        const Tensor y = draw(source, shape);
        return OpSample{{}, {y, source.Reals(shape)}};
      });
}

}  // namespace

OpDef EluOp() {
  return OpDef("Elu", 1)
      .Doc("y = x where x > 0, alpha (exp(x) - 1) elsewhere, element by element.")
      .Input({.name = "x", .doc = "any shape"})
      .Output({.name = "y", .doc = "the shape of x"})
      .Attribute("alpha", 1.0, "-alpha is the limit for x far below 0")
      .Shapes(SameAsInput(0))
      .Require("C1", "alpha is finite",
               [](const ShapeContext& c) -> std::string {
                 const double alpha = c.attributes().GetFloat("alpha");
                 return std::isfinite(alpha)
                            ? ""
                            : absl::StrCat("attribute alpha must be finite, got ", alpha);
               })
      .Reject({"C1", {{"alpha", std::numeric_limits<double>::infinity()}}, {RealType({2})}})
      .InPlace({0, 0})
      .Reference(ComputeElu<float>, ComputeElu<double>)
      .Bound(OutputBound(kElementaryRoundings + 2))  // alpha is rounded too
      .Steps(ElementwiseSteps())
      .Gradient(GradientFormulas({[](const auto& t) {
        const Expr below = t.y + t.attributes.GetFloat("alpha");
        return t.dy * Where(Less(Constant(0, t.x()), t.x()), Constant(1, t.y), below);
      }}))
      .Example({"both_signs",
                {{"alpha", 0.5}},
                {Reals({4}, {-1000, -1, -0.25, 3})},
                {Reals({4}, {-0.5, -0.31606027941427883, -0.11059960846429748, 3})}})
      .Samples([](SampleSource& source) {  // away from the kink
        const double alpha = source.Real(0.2, 2);
        return OpSample{{{"alpha", alpha}}, {source.RealsAwayFromZero(RandomShape(source, 0, 3))}};
      });
}

OpDef SigmoidGradOp() {
  return ActivationGradDef(
             "SigmoidGrad", "dx = dy y (1 - y), element by element.",
             [](SampleSource& source, const Shape& shape) { return source.Reals(shape, 0, 1); })
      .Reference(ComputeActivationGrad<float, Activation::kSigmoid>,
                 ComputeActivationGrad<double, Activation::kSigmoid>)
      .Bound(OperandBound(3))
      .Fusable(ElementwiseOp::kSigmoidGrad)
      .Gradient(
          GradientFormulas({[](const auto& t) {
                              const Expr product = t.dy * t.b();
                              return product - 2 * (product * t.a());
                            },
                            [](const auto& t) { return Binary("SigmoidGrad", t.a(), t.dy); }}))
      .Cost(kThreeEachText, ThreeEach)
      .Example({"quarter",
                {},
                {Reals({3}, {0.25, 0.5, 1}), Reals({3}, {2, -4, 5})},
                {Reals({3}, {0.375, -1, 0})}});
}

OpDef TanhGradOp() {
  return ActivationGradDef(
             "TanhGrad", "dx = dy (1 - y^2), element by element.",
             [](SampleSource& source, const Shape& shape) { return source.Reals(shape); })
      .Reference(ComputeActivationGrad<float, Activation::kTanh>,
                 ComputeActivationGrad<double, Activation::kTanh>)
      .Bound(OperandBound(3))
      .Fusable(ElementwiseOp::kTanhGrad)
      .Gradient(GradientFormulas({[](const auto& t) { return -2 * (t.dy * t.b() * t.a()); },
                                  [](const auto& t) { return Binary("TanhGrad", t.a(), t.dy); }}))
      .Cost(kThreeEachText, ThreeEach)
      .Example({"half",
                {},
                {Reals({3}, {0.5, -0.5, 0}), Reals({3}, {2, 4, -3})},
                {Reals({3}, {1.5, 3, -3})}});
}

OpDef ReluGradOp() {
  return ActivationGradDef("ReluGrad", "dx = dy where y > 0, else 0, element by element.",
                           [](SampleSource& source, const Shape& shape) {
                             return source.RealsAwayFromZero(shape);
                           })
      .Reference(ComputeReluGrad<float>, ComputeReluGrad<double>)
      .Bound(ExactBound())
      .Fusable(ElementwiseOp::kReluGrad)
      .Gradient(GradientFormulas(
          {nullptr, [](const auto& t) { return Binary("ReluGrad", t.a(), t.dy); }}))
      .Example({"dead_and_alive",
                {},
                {Reals({3}, {0, 2, 0.5}), Reals({3}, {7, 8, -9})},
                {Reals({3}, {0, 8, -9})}});
}

Value Sigmoid(FunctionBuilder& g, Value x, std::string name) {
  return Unary(g, "Sigmoid", x, std::move(name));
}

Value Tanh(FunctionBuilder& g, Value x, std::string name) {
  return Unary(g, "Tanh", x, std::move(name));
}

Value Relu(FunctionBuilder& g, Value x, std::string name) {
  return Unary(g, "Relu", x, std::move(name));
}

Value Elu(FunctionBuilder& g, Value x, double alpha, std::string name) {
  return g.AddNode("Elu", {x}, {{"alpha", alpha}}, std::move(name))[0];
}

namespace {

// The node of the activation's op, or of its gradient ("Grad").
Value ActivationNode(FunctionBuilder& g, const std::string& activation, absl::string_view suffix,
                     absl::Span<const Value> inputs, std::string name) {
  for (const char* op : {"Sigmoid", "Tanh", "Relu"}) {
    if (activation != SnakeCase(op)) continue;
    return g.AddNode(absl::StrCat(op, suffix), inputs, {}, std::move(name))[0];
  }
  g.Fail(
      InvalidArgument("activation must be none, tanh, relu or sigmoid; got \"", activation, "\""));
  return {};
}

}  // namespace

Value ApplyActivation(FunctionBuilder& g, const std::string& activation, Value z,
                      std::string name) {
  return activation == "none" ? z : ActivationNode(g, activation, "", {z}, std::move(name));
}

Value ActivationGrad(FunctionBuilder& g, const std::string& activation, Value y, Value dy) {
  return activation == "none" ? dy : ActivationNode(g, activation, "Grad", {y, dy}, "");
}

}  // namespace seqgraph::ops
